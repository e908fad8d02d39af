/** The rows of a recipe's files as they are trained, as the page's data path makes them. */
import { existsSync, openAsBlob } from 'node:fs';
import { resolve } from 'node:path';
import { documentLines } from '../../src/data/documentLines.ts';
import { buildDataset } from '../../src/data/documents.ts';
import { documentSettingsOf } from '../../src/data/rows/encoding/documentTypes.ts';
import { baseName, nameBeside, validationSetName } from '../../src/data/files/fileNames.ts';
import { heldOutGroups, openJoinedRows, type DataPart } from '../../src/data/rows/joinedRows.ts';
import { HELD_OUT, selectionOf, type Selection } from '../../src/data/rows/rowSelection.ts';
import type { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { trainFilesOf, type Recipe } from '../../src/training/recipe.ts';

/**
 * @param folder that the recipe's paths are relative to
 * @returns JSON lines by file name: train.jsonl and NAME.val.jsonl; null where a file is not there
 */
export async function recipeDocuments(
  recipe: Recipe,
  folder: string,
  tokenizer: ChatTokenizer,
): Promise<Map<string, Blob> | null> {
  const paths = [...trainFilesOf(recipe), ...recipe.validation_files].map((path) => resolve(folder, path));
  if (trainFilesOf(recipe).length === 0 || !paths.every(existsSync)) return null;
  const part = async (path: string): Promise<DataPart> => ({
    name: baseName(path),
    blob: await openAsBlob(resolve(folder, path)),
  });
  const training = await Promise.all(trainFilesOf(recipe).map(part));
  const selection = (side: Selection['side']): Selection => ({ ...selectionOf(recipe), side });
  const heldOut =
    recipe.val_set_size > 0 ? await heldOutGroups(training, recipe.columns, selection('train')) : null;
  const lines = async (parts: readonly DataPart[], side: Selection['side']) => {
    const rows = await openJoinedRows([...parts], recipe.columns, selection(side), heldOut);
    const { documents } = await buildDataset(parts.map(({ name }) => name).join(' + '), rows, tokenizer, {
      ...documentSettingsOf(recipe),
      preferences: recipe.method !== 'sft',
    });
    return documentLines(documents);
  };
  const files = new Map([['train.jsonl', await lines(training, 'train')]]);
  if (heldOut) files.set(`${HELD_OUT}.val.jsonl`, await lines(training, 'heldOut'));
  const sets: string[] = ['training', HELD_OUT];
  for (const path of recipe.validation_files) {
    const set = nameBeside(validationSetName(baseName(path)), sets);
    sets.push(set);
    files.set(`${set}.val.jsonl`, await lines([await part(path)], 'both'));
  }
  return files;
}
