/** The first guess at what the columns of an unknown file are. */
import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/data/rows/parseRows.ts';
import { guessColumns } from '../../src/page/data/recipe/guessColumns.ts';

const guess = (...names: string[]) => guessColumns(names.map((name) => ({ name }) as Column));

describe('guessed columns', () => {
  it.each([
    [['id', 'Question', 'Answer'], { prompt: 'Question', response: 'Answer' }],
    [['solution', 'problem'], { prompt: 'problem', response: 'solution' }],
    [['input', 'target', 'system_prompt'], { prompt: 'input', response: 'target', system: 'system_prompt' }],
    [['user', 'assistant'], { prompt: 'user', response: 'assistant' }],
    [[' query ', 'reply'], { prompt: ' query ', response: 'reply' }],
    // The first of several.
    [['question', 'prompt', 'gpt4', 'answer'], { prompt: 'question', response: 'gpt4' }],
  ])('of %j are a prompt and its response', (names, expected) => {
    expect(guess(...names)).toEqual(expected);
  });

  it.each([
    [['id', 'conversation'], { messages: 'conversation' }],
    [['dialogue', 'text'], { messages: 'dialogue' }],
    // A pair goes before turns.
    [['messages', 'prompt', 'response'], { prompt: 'prompt', response: 'response' }],
  ])('of %j are turns', (names, expected) => {
    expect(guess(...names)).toEqual(expected);
  });

  it.each([
    [['id', 'text'], { text: 'text' }],
    [['whatever'], { text: 'whatever' }],
  ])('of %j are one text', (names, expected) => {
    expect(guess(...names)).toEqual(expected);
  });

  it('leave open what no name says', () => {
    expect(guess('a', 'b')).toEqual({ prompt: undefined, response: undefined, system: undefined });
    expect(guess('question', 'b', 'text')).toEqual({
      prompt: 'question',
      response: undefined,
      system: undefined,
    });
    expect(guess('a', 'answer')).toEqual({ prompt: undefined, response: 'answer', system: undefined });
    // A name that only contains such a word says nothing.
    expect(guess('my question', 'my answer')).toEqual({
      prompt: undefined,
      response: undefined,
      system: undefined,
    });
  });
});
