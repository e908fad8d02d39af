/**
 * Chat templates of real models, over a grid of conversations, as Python's transformers renders them
 * (tests/interop/chat_templates.py wrote the fixture).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ChatTemplate, TemplateError, type ChatMessage } from '../../src/data/template/chatTemplate.ts';

interface Fixture {
  special_tokens: Record<string, string>;
  date_string: string;
  systems: (string | null)[];
  turns: [ChatMessage['role'], string][][];
  results: Record<string, string>;
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/chatTemplates.json', import.meta.url), 'utf8'),
) as Fixture;
const REFUSED = 'refuse';
/** From huggingface/trl (SOURCES.md beside them). */
const TEMPLATES = new URL('../fixtures/chat-templates/', import.meta.url);
const conversations = fixture.systems.flatMap((system) =>
  fixture.turns.map((turns) => [
    ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
    ...turns.map(([role, content]) => ({ role, content })),
  ]),
);

function outcome(render: () => string): string {
  try {
    return createHash('sha256').update(render()).digest('hex').slice(0, REFUSED.length);
  } catch (error) {
    if (error instanceof TemplateError) return REFUSED;
    throw error;
  }
}

describe('chat templates', () => {
  it('are 53, in 18,000 cases, few of them refused', () => {
    const cases = Object.values(fixture.results).flatMap((line) => line.match(/.{6}/g) ?? []);
    expect([Object.keys(fixture.results).length, conversations.length, cases.length]).toEqual([
      53, 125, 18000,
    ]);
    expect(cases.filter((result) => result === REFUSED).length).toBeLessThan(cases.length / 4);
  });

  it.each(Object.keys(fixture.results))('%s', (name) => {
    const source = readFileSync(new URL(`${name}.jinja`, TEMPLATES), 'utf8');
    const template = new ChatTemplate(source, fixture.special_tokens);
    const switches = source.includes('enable_thinking') ? [undefined, false] : [undefined];
    const results: string[] = [];
    const meant: string[] = [];
    for (const [index, messages] of conversations.entries()) {
      for (const addGenerationPrompt of [false, true]) {
        for (const enableThinking of switches) {
          const options = { addGenerationPrompt, dateString: fixture.date_string, enableThinking };
          const label = `conversation ${index}, ${JSON.stringify(options)}: `;
          const at = results.length * REFUSED.length;
          meant.push(label + fixture.results[name].slice(at, at + REFUSED.length));
          results.push(label + outcome(() => template.renderExactly(messages, options)));
        }
      }
    }
    expect(results.length * REFUSED.length).toBe(fixture.results[name].length);
    expect(results.filter((result, i) => result !== meant[i])).toEqual([]);
  });
});
