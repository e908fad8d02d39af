/** The page, the snippet and the words of a folder that finetab-player plays. */
import { FALLBACK_FILE, PLAYER_FILE } from './playerFolder.ts';
import { inHtml } from '../escape.ts';

/** How a page of one's own uses the folder. */
export const SNIPPET = `import { load } from './${PLAYER_FILE}';

const model = await load('./');
for await (const text of model.chat([{ role: 'user', content: 'Who are you?' }])) document.body.append(text);
`;

/** index.html. @param name of the model */
export function playerPage(name: string): string {
  const title = inHtml(name);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>${title}</title>
    <style>
      body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
      :root { color-scheme: light dark; }
      #turns p { white-space: pre-wrap; padding: 0.5rem 0.75rem; border-radius: 0.5rem; background: #8881; }
      #turns p.user { background: #48f2; }
      form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; }
      textarea { flex: 1 1 20rem; font: inherit; }
      label { display: grid; font-size: 0.9rem; }
    </style>
  </head>
  <body>
    <h1>${title}</h1>
    <p id="status" role="status">Loading …</p>
    <div id="turns" aria-live="polite"></div>
    <form>
      <textarea id="question" rows="2" aria-label="Question" required></textarea>
      <label>Adapter <select id="adapter"></select></label>
      <label>Scale <input id="scale" type="number" min="0" max="2" step="0.1" value="1" /></label>
      <button id="send" disabled>Send</button>
    </form>
    <script type="module" src="chat.js"></script>
  </body>
</html>
`;
}

/**
 * chat.js, the script of index.html: a file of its own, so that a host's policy may forbid inline scripts.
 */
export const CHAT_SCRIPT = `import { load } from './${PLAYER_FILE}';

const at = (id) => document.getElementById(id);
const messages = [];

function show(role, text) {
  const turn = document.createElement('p');
  turn.className = role;
  turn.textContent = text;
  at('turns').append(turn);
  return turn;
}

try {
  const model = await load('./', {
    onProgress: ({ phase, done, total }) => {
      at('status').textContent = \`Loading (\${phase}): \${total ? Math.round((100 * done) / total) : 0} %\`;
    },
  });
  for (const name of model.adapters) at('adapter').append(new Option(name, name));
  at('adapter').append(new Option('base model', ''));
  at('status').textContent = \`Runs on this computer: \${model.device}\`;
  at('send').disabled = false;
  document.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const content = at('question').value;
    at('question').value = '';
    at('send').disabled = true;
    messages.push({ role: 'user', content });
    show('user', content);
    const answer = show('assistant', '');
    try {
      const options = { adapter: at('adapter').value || null, scale: Number(at('scale').value) };
      for await (const text of model.chat(messages, options)) answer.textContent += text;
      messages.push({ role: 'assistant', content: answer.textContent });
    } catch (error) {
      messages.pop();
      at('status').textContent = error.message;
    }
    at('send').disabled = false;
  });
} catch (error) {
  at('status').textContent = error.message;
}
`;

/** README.md. */
export function playerReadme(name: string, baseWeights: string): string {
  return `# ${name}

Put this folder on any static host and open its index.html: the model answers on the visitor's own GPU.
To try it here: \`python3 -m http.server\` in this folder.

In a page of your own:

\`\`\`js
${SNIPPET}\`\`\`

- \`load(folder, { adapters: { name: 'folder/' }, onProgress })\` adds PEFT folders or GGUF LoRA adapters;
  \`load({ base: 'model.gguf' }, { adapters })\` plays a model that lies elsewhere.
- \`model.chat(messages, { adapter, scale, system, maxNewTokens, temperature, topP, seed, signal })\`: \`adapter\` is a
  name, or null for the base model; \`scale\` is 1 as trained, 0 without. \`model.answer(…)\` gives the whole answer with
  its ids.
- Where a browser has no WebGPU, ${FALLBACK_FILE} is loaded, which is slow.

The base model is held as ${baseWeights}.
`;
}
