/**
 * Ids of texts by the page's own tokenizer: what `npm run reference` writes for a folder with a tokenizer and
 * texts.json.
 */
import { makeTokenizer, specialTokensOf, type TokenizerFiles } from '../../src/data/tokenizer/modelFiles.ts';

/** `rows` of objects with `text`, or a list of texts. */
export type TextsFile = { rows: { text: string }[] } | string[];

/** @returns the same rows, each with `input_ids` and, by them, the text `decoded` again */
export function textsReference(texts: TextsFile, files: TokenizerFiles) {
  const tokenizer = makeTokenizer(files, specialTokensOf(files));
  const rows = Array.isArray(texts) ? texts.map((text) => ({ text })) : texts.rows;
  return {
    rows: rows.map(({ text }) => {
      const input_ids = tokenizer.encode(text);
      return { text, input_ids, decoded: tokenizer.decode(input_ids) };
    }),
  };
}
