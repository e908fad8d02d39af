/** The page's rows for an export. */
import type { ExportedRows } from '../../../worker/history/historyProtocol.ts';
import type { DataFiles } from '../../data/DataFiles.svelte.ts';

/** The rows that the page has, as they are trained; undefined where there is no training file. */
export async function rowsOf({ train, usable }: DataFiles): Promise<ExportedRows | undefined> {
  if (!train?.report) return undefined;
  const files = new Map([['train.jsonl', await train.documentLines()]]);
  for (const file of usable) files.set(`${file.name}.val.jsonl`, await file.documentLines());
  return { trainHashes: train.report.parts.map(({ sha256 }) => sha256), files };
}
