/** What a data file is, by its name. */

/** Whether a file is a validation set: its name ends in val.json or val.jsonl, or the same before another format's ending. */
export function isValidationFile(name: string): boolean {
  return /val\.(jsonl?|csv|tsv|parquet)$/i.test(name);
}

/** Name of a validation set: the file's name up to its first dot (`math.val.jsonl` → `math`; `val.jsonl` → `val`). */
export function validationSetName(name: string): string {
  return baseName(name).split('.')[0];
}

/** A path's last part. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
