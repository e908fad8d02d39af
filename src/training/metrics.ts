/** metrics.jsonl: one object a line, as transformers logs. */

/** A line of metrics.jsonl; evaluation lines carry eval_<name>_loss and the rest. */
export type MetricsLine = { step: number; epoch: number } & Record<string, number>;

export function metricsToJsonl(lines: readonly MetricsLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Keys of an evaluation in a line: eval_<name>_<metric>. */
export function evaluationKeys(name: string, metrics: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([, value]) => value !== undefined)
      .map(([metric, value]) => [`eval_${name}_${metric}`, value as number]),
  );
}

/** Points of one curve: (step, value) of the lines that have the key. */
export function curve(lines: readonly MetricsLine[], key: string): { steps: number[]; values: number[] } {
  const points = lines.filter((line) => line[key] !== undefined);
  return { steps: points.map(({ step }) => step), values: points.map((line) => line[key]) };
}

/** Losses, perplexities are better small; matches large. */
export function isBetter(metric: string, value: number, than: number): boolean {
  return /loss|perplexity|length/.test(metric) ? value < than : value > than;
}
