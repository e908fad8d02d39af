/** Curves as a table: one line a step, one column a curve. */
import { csvOf } from '../../data/files/csvText.ts';
import type { Series } from './chartTypes.ts';

export function curvesCsv(series: readonly Pick<Series, 'name' | 'steps' | 'values'>[]): string {
  const rows = new Map<number, (number | undefined)[]>();
  series.forEach(({ steps, values }, column) =>
    steps.forEach((step, i) => {
      const row = rows.get(step) ?? Array.from<number | undefined>({ length: series.length });
      row[column] = values[i];
      rows.set(step, row);
    }),
  );
  const lines = [...rows].sort(([a], [b]) => a - b).map(([step, row]) => [step, ...row]);
  return csvOf([['step', ...series.map(({ name }) => name)], ...lines]);
}
