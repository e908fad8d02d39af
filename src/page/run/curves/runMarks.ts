/** Steps of a run that its charts point at: where epochs begin, and where it was evaluated. */
import type { MetricsLine, Numbers } from '../../../training/metrics.ts';
import type { Mark } from '../../chart/chartTypes.ts';

/** More epochs than these are not all named. */
const MOST_EPOCHS = 10;

/** A line where each epoch begins, but the first. @param curve of `epoch` over the steps */
export function epochMarks({ steps, values }: { steps: Numbers; values: Numbers }): Mark[] {
  const begins: { step: number; epoch: number }[] = [];
  values.forEach((epoch: number, i: number) => {
    if (i > 0 && Math.floor(epoch) > Math.floor(values[i - 1]) && epoch >= 1)
      begins.push({ step: steps[i], epoch });
  });
  const every = Math.ceil(begins.length / MOST_EPOCHS);
  return begins
    .filter((_, i) => (i + 1) % every === 0)
    .map(({ step, epoch }) => ({
      step,
      label: `epoch ${Math.floor(epoch) + 1}`,
      colour: '--strong-line',
      kind: 'line',
    }));
}

/** A tick at the foot for each evaluation. */
export function evaluationMarks(lines: readonly MetricsLine[]): Mark[] {
  return [...new Set(lines.map(({ step }) => step))].map((step) => ({
    step,
    label: '',
    colour: '--quiet',
    kind: 'tick',
  }));
}
