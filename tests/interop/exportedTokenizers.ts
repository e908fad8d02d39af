/**
 * Writes the tokenizer files of exported folders, each with the page's own ids of texts, for
 * exported_tokenizers.py:
 *
 *     node scripts/run.mjs tests/interop/exportedTokenizers.ts ../shared/tokenizers/real ../shared/texts OUT
 *
 * OUT/<tokenizer>/ has the files and ids.json, `rows` of `text` and `input_ids`: every text of all files.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenizerFilesOf } from '../../scripts/lib/modelTokenizer.ts';
import { textsReference } from '../../scripts/lib/textsReference.ts';
import { exportedTokenizerTexts } from '../../src/export/exportedTokenizer.ts';

export async function main([folders, texts, out]: string[]): Promise<number> {
  if (folders === undefined || texts === undefined || out === undefined)
    throw new Error('usage: exportedTokenizers.ts FOLDER_OF_TOKENIZERS FOLDER_OF_TEXTS OUT');
  const found = new Set<string>();
  for (const name of await readdir(texts)) {
    const { rows } = JSON.parse(await readFile(join(texts, name), 'utf8')) as { rows: { text: string }[] };
    for (const { text } of rows) found.add(text);
  }
  for (const name of await readdir(folders)) {
    const files = (await tokenizerFilesOf(join(folders, name))) as Record<string, string>;
    await mkdir(join(out, name), { recursive: true });
    for (const [file, content] of Object.entries(exportedTokenizerTexts(files)))
      await writeFile(join(out, name, file), content);
    const { rows } = textsReference([...found], files);
    await writeFile(join(out, name, 'ids.json'), JSON.stringify({ rows }));
    console.log(`${name}: ${rows.length} texts`);
  }
  return 0;
}
