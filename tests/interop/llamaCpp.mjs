/**
 * What llama.cpp itself makes of a GGUF model, with or without a GGUF LoRA adapter: greedy answers to prompts
 * and the log-probabilities along them, as JSON. One process a model, since node-llama-cpp keeps one alive.
 *
 *     node tests/interop/llamaCpp.mjs NODE_MODULES MODEL.gguf PROMPTS.json [ADAPTER.gguf] > answers.json
 *
 * needs node-llama-cpp 3.22 and @node-llama-cpp/linux-x64 in NODE_MODULES (npm install --ignore-scripts
 * --omit=optional). PROMPTS.json: a list of lists of ids, so that nothing depends on who tokenizes; with
 * "text" in place of a list of ids llama.cpp tokenizes it itself. STEPS=N in the environment: ids an answer,
 * 24 unless said.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, modelPath, promptsPath, adapterPath] = process.argv.slice(2);
const STEPS = Number(process.env.STEPS ?? 24);
const TOP = 5;

const { getLlama, LlamaLogLevel } = await import(
  pathToFileURL(resolve(modules, 'node-llama-cpp/dist/index.js')).href
);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  contextSize: 512,
  threads: 1,
  // Its keys and values are float16 otherwise, which moves log-probabilities by 3e-2.
  experimentalKvCacheKeyType: 'F32',
  experimentalKvCacheValueType: 'F32',
  flashAttention: false,
  ...(adapterPath ? { lora: { adapters: [{ filePath: adapterPath, scale: 1 }] } } : {}),
});
// A context has one sequence, which is free again only some time after it was disposed.
const sequence = context.getSequence();
const answers = [];
for (const prompt of JSON.parse(readFileSync(promptsPath, 'utf8'))) {
  const ids = typeof prompt === 'string' ? model.tokenize(prompt, true) : prompt;
  const steps = [];
  let pending = ids;
  for (let i = 0; i < STEPS; i++) {
    const input = pending.map((id, at) =>
      at === pending.length - 1 ? [id, { generateNext: { logits: true, options: { temperature: 0 } } }] : id,
    );
    const output = (await sequence.controlledEvaluate(input)).at(-1);
    const top = likeliest([...output.next.logits]);
    const [id] = top[0];
    steps.push({ id, top });
    if (model.isEogToken(id)) break;
    pending = [id];
  }
  answers.push({
    ids: [...ids],
    steps,
    ended: model.isEogToken(steps.at(-1).id),
    text: model.detokenize(steps.map(({ id }) => id)),
  });
  await sequence.clearHistory();
}
/** Log-probabilities of the tokens with the largest logits: llama.cpp's own sum of chances is float32. */
function likeliest(logits) {
  const largest = logits.reduce((most, [, value]) => Math.max(most, value), -Infinity);
  const sum = logits.reduce((total, [, value]) => total + Math.exp(value - largest), 0);
  const sorted = logits.toSorted((a, b) => b[1] - a[1]).slice(0, TOP);
  return sorted.map(([id, value]) => [id, value - largest - Math.log(sum)]);
}

process.stdout.write(`${JSON.stringify(answers)}\n`, () => process.exit(0));
