/** What the page's data path makes of one data file, in the form that `npm run inspect` prints. */
import { buildDataset } from '../../src/data/documents.ts';
import { baseName, isValidationFile, validationSetName } from '../../src/data/files/fileNames.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import type { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import type { Recipe } from '../../src/training/recipe.ts';

export interface InspectOptions {
  recipe: Recipe;
  /** Where a recipe names the file; else its name decides. */
  role?: 'train' | 'validation';
  withDocuments: boolean;
}

export type InspectedFile = Awaited<ReturnType<typeof inspectFile>>;

export async function inspectFile(
  blob: Blob,
  path: string,
  tokenizer: ChatTokenizer,
  { recipe, role, withDocuments }: InspectOptions,
) {
  const file = baseName(path);
  const kind = role ?? (isValidationFile(path) ? 'validation' : 'train');
  const parsed = await parseRows(blob, file, recipe.columns);
  const dataset = await buildDataset(file, parsed, tokenizer, {
    systemPrompt: recipe.system_prompt,
    maxLength: recipe.max_length,
    dateString: recipe.date_string,
    maskHistory: recipe.mask_history,
    preferences: true,
  });
  const { documents, pairs, labels, problems } = dataset;
  const printedPairs = pairs.map(({ line, chosen, rejected }) => ({
    line,
    chosen: printed(chosen),
    rejected: printed(rejected),
  }));
  const printedDocuments = Array.from(documents, (document, i) => ({
    line: document.line,
    ...printed(document),
    ...(labels.has(i) ? { label: labels.get(i) } : {}),
  }));
  return {
    file,
    role: kind,
    set: kind === 'validation' ? validationSetName(file) : null,
    format: parsed.format,
    rows: parsed.records,
    used: dataset.usedRows,
    notes: [...tokenizer.notes, ...dataset.notes],
    problems: problems.map(({ line, reason }) => ({ line, message: reason })),
    ...(withDocuments
      ? { documents: [...printedDocuments, ...printedPairs].sort((a, b) => a.line - b.line) }
      : {}),
  };
}

function printed({ inputIds, labels }: { inputIds: Iterable<number>; labels: Iterable<number> }) {
  return { input_ids: [...inputIds], labels: [...labels] };
}
