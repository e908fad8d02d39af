/** Lines of metrics.jsonl as a table: one line a step, its evaluations in the same line. */
import { csvOf } from '../../data/files/csvText.ts';
import type { MetricsLine } from '../../training/metrics.ts';

export function metricsCsv(lines: readonly MetricsLine[]): string {
  const steps = new Map<number, Record<string, number>>();
  for (const line of lines)
    steps.set(line.step, {
      ...steps.get(line.step),
      ...Object.fromEntries(Object.entries(line).filter(([, value]) => Number.isFinite(value))),
    });
  const keys = [...new Set([...steps.values()].flatMap((line) => Object.keys(line)))];
  const rows = [...steps].sort(([a], [b]) => a - b).map(([, line]) => keys.map((key) => line[key]));
  return csvOf([keys, ...rows]);
}
