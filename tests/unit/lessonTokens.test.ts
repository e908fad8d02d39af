/** A lesson that somebody else wrote: parsed where it is one, and never for long. */
import { describe, expect, it } from 'vitest';
import { lessonTokens } from '../../src/page/classroom/lessonTokens.ts';

describe('a lesson', () => {
  it('is parsed', async () => {
    const tokens = await lessonTokens('# First\n\nTry **this**:\n\n- a\n- b\n\n```\ncode\n```\n');
    expect(tokens!.map(({ type }) => type).filter((type) => type !== 'space')).toEqual([
      'heading',
      'paragraph',
      'list',
      'code',
    ]);
  });

  it.each([
    ['emphasis that takes the square of its length', '_a_'.repeat(20_000)],
    ['quotes inside quotes', '>'.repeat(3000)],
    ['lists inside lists', Array.from({ length: 1500 }, (_, i) => `${' '.repeat(i)}- a`).join('\n')],
    ['a line of spaces', `a${' '.repeat(60_000)}b`],
    ['a book', 'a line of it\n\n'.repeat(20_000)],
  ])('is shown as it was written where it is %s', async (_what, markdown) => {
    const began = performance.now();
    expect(await lessonTokens(markdown)).toBeNull();
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
