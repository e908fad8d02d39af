import { handledElsewhere } from '../lib/promises.ts';

/**
 * Steps that were started and are not over yet: an engine may take several at once, so that the GPU never
 * waits for the host.
 */
export class StepPipeline<T> {
  private readonly started: Promise<T>[] = [];

  constructor(private readonly start: (step: number) => Promise<T>) {}

  get isEmpty(): boolean {
    return this.started.length === 0;
  }

  /**
   * Starts a step, and those after it as long as `mayFollow`, up to `ahead` more than one at once. Steps that
   * are on their way count.
   * @param step the oldest that is not over
   */
  fill(step: number, ahead: number, mayFollow: (step: number) => boolean): void {
    if (this.isEmpty) this.push(step);
    while (this.started.length <= ahead && mayFollow(step + this.started.length))
      this.push(step + this.started.length);
  }

  /** The oldest step's result. What was started behind a step that failed is given up with it. */
  next(): Promise<T> {
    return this.started.shift()!;
  }

  private push(step: number): void {
    const result = this.start(step);
    // `next` throws it when its turn comes; until then it must not count as unhandled.
    handledElsewhere(result);
    this.started.push(result);
  }
}
