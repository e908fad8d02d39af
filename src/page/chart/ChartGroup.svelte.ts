/** What several charts share: the step that the cursor points at, and the scale of their values. */
export class ChartGroup {
  /** null: the cursor points at none. */
  step = $state<number | null>(null);
  /** Whether values are shown on a logarithmic scale. */
  log = $state(false);
}
