/** Lines of metrics.jsonl as a table: one line a step, its evaluations in the same line. */
import type { MetricsLine } from '../../training/metrics.ts';

export function metricsCsv(lines: readonly MetricsLine[]): string {
  const steps = new Map<number, Record<string, number>>();
  for (const line of lines)
    steps.set(line.step, {
      ...steps.get(line.step),
      ...Object.fromEntries(Object.entries(line).filter(([, value]) => Number.isFinite(value))),
    });
  const keys = [...new Set([...steps.values()].flatMap((line) => Object.keys(line)))];
  const cell = (text: string | number | undefined) =>
    typeof text === 'string' && /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : `${text ?? ''}`;
  const rows = [...steps]
    .sort(([a], [b]) => a - b)
    .map(([, line]) => keys.map((key) => cell(line[key])).join(','));
  return `${[keys.map(cell).join(','), ...rows].join('\n')}\n`;
}
