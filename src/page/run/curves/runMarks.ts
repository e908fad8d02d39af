/** Steps of a run that its charts point at: where epochs begin, and where it was evaluated. */
import type { MetricsLine } from '../../../training/metrics.ts';
import type { Mark } from '../../chart/chartTypes.ts';

/** More epochs than these are not all named. */
const MOST_EPOCHS = 10;

/** A line where each epoch begins, but the first. */
export function epochMarks(lines: readonly MetricsLine[]): Mark[] {
  const begins = lines.filter(
    ({ epoch }, i) => i > 0 && Math.floor(epoch) > Math.floor(lines[i - 1].epoch) && epoch >= 1,
  );
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
