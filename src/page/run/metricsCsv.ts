/** Lines of metrics.jsonl as a table: one line a step, its evaluations in the same line. */
import type { MetricsLine } from '../../training/metrics.ts';
import { curvesCsv } from '../chart/curvesCsv.ts';

export function metricsCsv(lines: readonly MetricsLine[]): string {
  const columns = new Map<string, { name: string; steps: number[]; values: number[] }>();
  for (const { step, ...figures } of lines)
    for (const [name, value] of Object.entries(figures)) {
      if (!Number.isFinite(value)) continue;
      const column = columns.get(name) ?? { name, steps: [], values: [] };
      column.steps.push(step);
      column.values.push(value);
      columns.set(name, column);
    }
  return curvesCsv([...columns.values()]);
}
