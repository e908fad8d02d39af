/** Which of several files that are read as one a row is from. */
export interface RowFiles {
  names: string[];
  /** Index of the first row of each file; ascending. */
  firsts: number[];
}

/** The file of a row. '' where there is none. */
export function fileOfRow({ names, firsts }: RowFiles, row: number): string {
  let found = 0;
  for (const [i, first] of firsts.entries()) if (first <= row) found = i;
  return names[found] ?? '';
}

/** Notes that the next row is the first of another file, where it is. */
export function noteFile({ names, firsts }: RowFiles, file: string, row: number): void {
  if (names.length > 0 && names.at(-1) === file) return;
  if (names.length === 1 && row === 0) names[0] = file;
  else {
    names.push(file);
    firsts.push(row);
  }
}
