/** What the page's data path makes of data files, in the form that `npm run inspect` prints. */
import { buildDataset } from '../../src/data/documents.ts';
import { documentSettingsOf } from '../../src/data/rows/encoding/documentTypes.ts';
import { baseName, isValidationFile, nameBeside, validationSetName } from '../../src/data/files/fileNames.ts';
import { heldOutGroups, named, openJoinedRows, type DataPart } from '../../src/data/rows/joinedRows.ts';
import { HELD_OUT, selectionOf, type Selection } from '../../src/data/rows/rowSelection.ts';
import type { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import type { Recipe } from '../../src/training/recipe.ts';

export interface InspectOptions {
  recipe: Recipe;
  withDocuments: boolean;
}

/** A file, and its role where a recipe names it; else its name decides. */
export interface GivenFile {
  path: string;
  blob: Blob;
  role?: 'train' | 'validation';
}

export type InspectedFile = Awaited<ReturnType<typeof inspectRows>>;

/** Names of validation sets that a file cannot have. */
const RESERVED = ['training', HELD_OUT];

/**
 * Inspects files as the page takes them together: training files are joined, of two validation sets with one
 * name the second gets its own, and rows are held out of the training files as the recipe says.
 */
export async function inspectFiles(
  given: readonly GivenFile[],
  tokenizer: ChatTokenizer,
  { recipe, withDocuments }: InspectOptions,
): Promise<InspectedFile[]> {
  const selection = (side: Selection['side']): Selection => ({ ...selectionOf(recipe), side });
  const sets: string[] = [...RESERVED];
  const files = given.map(({ path, blob, role }) => ({
    part: { name: baseName(path), blob },
    role: role ?? (isValidationFile(path) ? 'validation' : 'train'),
  }));
  const training = files.filter(({ role }) => role === 'train').map(({ part }) => part);
  const heldOut =
    recipe.val_set_size > 0 ? await heldOutGroups(training, recipe.columns, selection('train')) : null;
  const inspected: InspectedFile[] = [];
  for (const { part, role } of files) {
    const inspect = (set: string | null, side: Selection['side']) =>
      inspectRows(part, tokenizer, { recipe, withDocuments, set, selection: selection(side), heldOut });
    if (role === 'validation') {
      const set = nameBeside(validationSetName(part.name), sets);
      sets.push(set);
      inspected.push(await inspect(set, 'both'));
      continue;
    }
    const trained = await inspect(null, 'train');
    const others = training.filter((other) => other !== part).map(({ name }) => name);
    if (others.length > 0)
      trained.notes.unshift(`joined with ${named(others)}: they are trained on as one file.`);
    inspected.push(trained);
    if (heldOut) inspected.push(await inspect(HELD_OUT, 'heldOut'));
  }
  return inspected;
}

interface RowsOptions extends InspectOptions {
  /** null for training. */
  set: string | null;
  selection: Selection;
  heldOut: ReadonlySet<number> | null;
}

async function inspectRows(
  part: DataPart,
  tokenizer: ChatTokenizer,
  { recipe, withDocuments, set, selection, heldOut }: RowsOptions,
) {
  const parsed = await openJoinedRows([part], recipe.columns, selection, heldOut);
  const dataset = await buildDataset(part.name, parsed, tokenizer, {
    ...documentSettingsOf(recipe),
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
    file: part.name,
    role: set === null ? ('train' as const) : ('validation' as const),
    set,
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
