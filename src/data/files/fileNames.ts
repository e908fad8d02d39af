/** What a data file is, by its name. */

/** Words by which data sets name their parts: on the Hub, in datasets, in mlx-lm. */
const TRAINING = ['train', 'training'];
const VALIDATION = ['val', 'valid', 'validation', 'dev', 'test', 'testing', 'eval', 'evaluation'];
const DATA_ENDING = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;

/**
 * Whether a file is a validation set: its name ends in val.json or val.jsonl (or the same before another
 * format's ending), or one of the words of its name, else its folder's name, is that of a split which is not
 * trained on. A name that says train is a training file.
 * @param path the file's name, with the folders that it was dropped in where they are known
 */
export function isValidationFile(path: string): boolean {
  if (!DATA_ENDING.test(path)) return false;
  const [name = '', folder = ''] = path.split(/[\\/]/).reverse();
  const stem = name.replace(DATA_ENDING, '');
  if (/val$/i.test(stem)) return true;
  const words = stem.toLowerCase().split(/[^a-z]+/);
  if (words.some((word) => TRAINING.includes(word))) return false;
  if (words.some((word) => VALIDATION.includes(word))) return true;
  // Folders are named for much: only one that is called as a split is one.
  return VALIDATION.includes(folder.toLowerCase());
}

/**
 * Name of a validation set: the file's name up to its first dot (`math.val.jsonl` → `math`; `val.jsonl` →
 * `val`).
 */
export function validationSetName(name: string): string {
  const stem = baseName(name).replace(/\..*/s, '');
  return stem === '' ? 'validation' : stem;
}

/** A name that none of these has: the name itself, else with a number behind it. */
export function nameBeside(name: string, taken: readonly string[]): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}_${i}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

/** A path's last part. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}

/**
 * A title as a file's name without its ending: letters and digits of any script, points, hyphens and
 * underscores. @param otherwise where nothing of it is left
 */
export function fileStem(title: string, otherwise: string): string {
  const stem = title.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '');
  return stem === '' ? otherwise : stem.slice(0, 80);
}
