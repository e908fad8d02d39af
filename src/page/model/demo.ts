/** The demo that lies beside the page: a small model, sample data and a recipe for them. */
import { t } from '../language/messages.svelte.ts';
import { report } from '../../lib/errorLog.ts';
import { markOwn } from '../kept/fileHandles.ts';
import { UserError } from '../../lib/errors.ts';
import { trainFilesOf, type Recipe } from '../../training/recipe.ts';

const MODEL_FILES = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'model.safetensors',
  'README.md',
];
/** The model's name, in the demo's recipe too. */
export const DEMO_NAME = 'demo';
/** What the demo may show: answers copied from rows, or answers found by a reward. */
export type DemoKind = 'rows' | 'rewards';
const RECIPE_FILES: Record<DemoKind, string> = { rows: 'demo.json', rewards: 'sums.json' };

export interface Demo {
  recipe: File;
  model: File[];
  data: File[];
}

/** Fetches the demo from the page's own host. @throws UserError where a file does not come */
export async function fetchDemo(kind: DemoKind = 'rows'): Promise<Demo> {
  const recipe = await fetchFile(RECIPE_FILES[kind]);
  const { train_file, validation_files } = JSON.parse(await recipe.text()) as Pick<
    Recipe,
    'train_file' | 'validation_files'
  >;
  const all = (names: readonly string[]) => Promise.all(names.map(fetchFile));
  const [model, data] = await Promise.all([
    all(MODEL_FILES),
    all([...trainFilesOf({ train_file }), ...validation_files]),
  ]);
  return { recipe, model, data };
}

async function fetchFile(name: string): Promise<File> {
  let response: Response;
  try {
    response = await fetch(new URL(`demo/${name}`, document.baseURI));
  } catch (error) {
    report(error, `fetching the demo's ${name}`);
    throw new UserError(t.model.demoOffline(name));
  }
  if (!response.ok) throw new UserError(t.model.demoMissing(name, response.status));
  return markOwn(new File([await response.blob()], name));
}
