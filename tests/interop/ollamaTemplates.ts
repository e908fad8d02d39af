/**
 * Writes, for ollama_templates.go, conversations with our Ollama template and the text that the jinja
 * template gives.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import {
  ollamaTemplate,
  promptSegments,
  type TemplateMessage,
} from '../../src/export/ollama/ollamaTemplate.ts';

/** Arguments: a folder of .jinja files, and the file to write. */
export async function main([folder, out]: string[]): Promise<number> {
  const samples: unknown[] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.jinja'))) {
    const chat = new ChatTemplate(readFileSync(join(folder, name), 'utf8'), {
      bos_token: '<s>',
      eos_token: '</s>',
    });
    const render = (messages: readonly TemplateMessage[], addGenerationPrompt: boolean) =>
      chat.render(messages, { addGenerationPrompt, dateString: '26 Jul 2024' });
    let template: string;
    try {
      template = ollamaTemplate(promptSegments(render));
    } catch (error) {
      console.error(`${name}: ${(error as Error).message}`);
      continue;
    }
    const turns: TemplateMessage[] = [
      { role: 'user', content: 'Say "hi" {{ .Content }}' },
      { role: 'assistant', content: 'Hi.\nÜ 🙂' },
      { role: 'user', content: 'Again' },
    ];
    for (const messages of [turns.slice(0, 1), turns])
      samples.push({ name, template, messages, text: render(messages, true) });
    const system: TemplateMessage = { role: 'system', content: 'Be kind.' };
    if (chat.hasSystemRole)
      samples.push({ name, template, messages: [system, ...turns], text: render([system, ...turns], true) });
  }
  writeFileSync(out, JSON.stringify(samples));
  return 0;
}
