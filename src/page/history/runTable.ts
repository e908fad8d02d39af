/** The kept runs as a table: which are shown, and in which order. */
import type { RunSummary } from '../../worker/history/historyProtocol.ts';
import { stateOf, titleOf } from './History.svelte.ts';

export const COLUMNS = ['run', 'state', 'started', 'loss', 'learningRate', 'r', 'time', 'size'] as const;
export type Column = (typeof COLUMNS)[number];

/** Runs that hold every word of the text in their name, notes, tags, model, file or state. */
export function filterRuns(runs: readonly RunSummary[], text: string): RunSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    const { name, notes, tags = [], modelName, trainFile, startedFrom } = run;
    const searched = [
      titleOf(run),
      name,
      notes,
      ...tags,
      modelName,
      trainFile,
      startedFrom ?? '',
      stateOf(run),
    ]
      .join('\n')
      .toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}

/** @param curve whose last loss counts in the column of losses; runs without a value come last either way */
export function sortRuns(
  runs: readonly RunSummary[],
  column: Column,
  isDescending: boolean,
  curve: string,
): RunSummary[] {
  const value = (run: RunSummary): string | number | undefined => {
    switch (column) {
      case 'run':
        return titleOf(run);
      case 'state':
        return stateOf(run);
      case 'started':
        return run.startedAt;
      case 'loss':
        return run.losses[curve]?.end;
      case 'learningRate':
        return run.recipe.training.learning_rate;
      case 'r':
        return run.recipe.lora.r;
      case 'time':
        return run.seconds;
      case 'size':
        return run.storedBytes;
    }
  };
  const compare = (a: string | number, b: string | number) =>
    typeof a === 'string' ? a.localeCompare(String(b)) : a - Number(b);
  return runs.toSorted((x, y) => {
    const [a, b] = [value(x), value(y)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return isDescending ? compare(b, a) : compare(a, b);
  });
}

/** Names of all curves that runs have a loss of: validation sets first. */
export function curveNames(runs: readonly RunSummary[]): string[] {
  const names = [...new Set(runs.flatMap(({ losses }) => Object.keys(losses)))];
  return [
    ...names.filter((name) => name !== 'training').sort(),
    ...names.filter((name) => name === 'training'),
  ];
}

/** What a person typed as tags: words between commas, each once. */
export function tagsOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(',')
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}
