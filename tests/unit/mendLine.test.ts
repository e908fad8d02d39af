import { expect, it } from 'vitest';
import { lineText, mendLine } from '../../src/data/files/mendLine.ts';

const file = new Blob(['{"a":1}\r\n{"ä":2}\n{"c":3}']);

it.each([
  [1, '{"a":1}', '{"x":0}\n{"ä":2}\n{"c":3}', '{"ä":2}\n{"c":3}'],
  [2, '{"ä":2}', '{"a":1}\r\n{"x":0}\n{"c":3}', '{"a":1}\r\n{"c":3}'],
  [3, '{"c":3}', '{"a":1}\r\n{"ä":2}\n{"x":0}', '{"a":1}\r\n{"ä":2}\n'],
])('line %d is shown, put right and taken out, and no other changes', async (line, text, mended, without) => {
  expect(await lineText(file, line)).toBe(text);
  expect(await (await mendLine(file, line, '{"x":0}')).text()).toBe(mended);
  expect(await (await mendLine(file, line, null)).text()).toBe(without);
});

it('says what is wrong with a text of two lines, or a line that is not there', async () => {
  await expect(mendLine(file, 1, 'a\nb')).rejects.toThrow(/one line/);
  await expect(lineText(file, 4)).rejects.toThrow(/no line 4/);
});
