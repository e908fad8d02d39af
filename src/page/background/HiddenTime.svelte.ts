/** What a run did while its tab was hidden, by the clock: the browser does not say what it does to a page. */

/** One time during which the tab was hidden and a run went on. */
export interface Away {
  seconds: number;
  /** Steps that the run made meanwhile. */
  steps: number;
  /** Of these seconds the browser had stopped the page altogether (Page Lifecycle's freeze). */
  frozenSeconds: number;
  /** The longest time without a step. */
  longestGap: number;
  /** Seconds a step while the tab was in sight; null where it made fewer than two. */
  secondsPerStepBefore: number | null;
}

interface Mark {
  at: number;
  step: number;
}

export class HiddenTime {
  /** The last one that has ended. */
  away = $state.raw<Away | null>(null);
  private hiddenSince: Mark | null = null;
  /** The beginning of the time in sight. */
  private seenSince: Mark | null = null;
  private secondsPerStep: number | null = null;
  private lastStep: Mark | null = null;
  private longestGap = 0;
  private frozenAt: number | null = null;
  private frozenSeconds = 0;

  /** @param now seconds */
  begin(now: number, step: number): void {
    this.away = null;
    this.hiddenSince = null;
    this.secondsPerStep = null;
    this.seenSince = this.lastStep = { at: now, step };
  }

  /** The run made a step. */
  stepped(now: number, step: number): void {
    if (this.lastStep) this.longestGap = Math.max(this.longestGap, now - this.lastStep.at);
    this.lastStep = { at: now, step };
  }

  hide(now: number, step: number): void {
    if (this.hiddenSince) return;
    const { seenSince } = this;
    const steps = seenSince ? step - seenSince.step : 0;
    if (seenSince && steps >= 2) this.secondsPerStep = (now - seenSince.at) / steps;
    this.hiddenSince = { at: now, step };
    this.lastStep = { at: now, step };
    this.longestGap = this.frozenSeconds = 0;
  }

  show(now: number, step: number): void {
    const { hiddenSince } = this;
    this.seenSince = { at: now, step };
    this.hiddenSince = null;
    if (!hiddenSince) return;
    if (this.lastStep) this.longestGap = Math.max(this.longestGap, now - this.lastStep.at);
    this.away = {
      seconds: now - hiddenSince.at,
      steps: step - hiddenSince.step,
      frozenSeconds: this.frozenSeconds,
      longestGap: this.longestGap,
      secondsPerStepBefore: this.secondsPerStep,
    };
  }

  freeze(now: number): void {
    this.frozenAt = now;
  }

  thaw(now: number): void {
    if (this.frozenAt !== null) this.frozenSeconds += now - this.frozenAt;
    this.frozenAt = null;
  }
}

/** Shorter times are not worth a sentence. */
const WORTH_SECONDS = 5;
/** Without a step for so many times as long as one takes, and at least so long, something held it up. */
const HELD_UP = 5;
const HELD_UP_SECONDS = 10;

export type AwayVerdict = 'frozen' | 'heldUp' | 'slower' | 'same' | 'unknown';

/** What the times show; null where the tab was not hidden for long. */
export function awayVerdict(away: Away): AwayVerdict | null {
  const { seconds, steps, frozenSeconds, longestGap, secondsPerStepBefore: before } = away;
  if (seconds < WORTH_SECONDS) return null;
  if (frozenSeconds >= 1) return 'frozen';
  if (before === null) return 'unknown';
  if (longestGap > Math.max(HELD_UP * before, HELD_UP_SECONDS)) return 'heldUp';
  if (steps < 2) return 'unknown';
  return seconds / steps > 1.5 * before ? 'slower' : 'same';
}
