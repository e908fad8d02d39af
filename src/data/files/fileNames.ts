/** What a data file is, by its name. */

/** Words by which data sets name their parts: on the Hub, in datasets, in mlx-lm. */
const TRAINING = ['train', 'training'];
const VALIDATION = ['val', 'valid', 'validation', 'dev', 'test', 'testing', 'eval', 'evaluation'];
const DATA_ENDING = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;

/**
 * Whether a file is a validation set: its name ends in val.json or val.jsonl (or the same before another
 * format's ending), or one of the words of its name, else one of its folders, is that of a split which is not
 * trained on. A name that says train is a training file.
 * @param path the file's name, with the folders that it was dropped in where they are known
 */
export function isValidationFile(path: string): boolean {
  if (!DATA_ENDING.test(path)) return false;
  const parts = path.split(/[\\/]/).reverse();
  if (/val$/i.test(baseName(path).replace(DATA_ENDING, ''))) return true;
  for (const [i, part] of parts.entries()) {
    const words = (i === 0 ? part.replace(DATA_ENDING, '') : part).toLowerCase().split(/[^a-z]+/);
    if (words.some((word) => TRAINING.includes(word))) return false;
    if (words.some((word) => VALIDATION.includes(word))) return true;
  }
  return false;
}

/**
 * Name of a validation set: the file's name up to its first dot (`math.val.jsonl` → `math`; `val.jsonl` →
 * `val`).
 */
export function validationSetName(name: string): string {
  return baseName(name).replace(/\..*/s, '');
}

/** A path's last part. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
