/** A worker that may die: what it was asked fails then, and the next question starts another in its place. */
import type { Remote, WorkerHandle } from './client.ts';
import { handledElsewhere } from '../lib/promises.ts';

/** The worker ended before it answered. */
export class WorkerDied extends Error {
  override name = 'WorkerDied';

  /** @param worker in words: 'import' @param reason why it ended */
  constructor(
    worker: string,
    readonly reason: string,
  ) {
    super(`The ${worker} worker ended before it was done: ${reason}. Try again.`);
  }
}

interface Running<T> {
  handle: WorkerHandle<T>;
  /** Rejects with WorkerDied. */
  died: Promise<never>;
  reject(error: WorkerDied): void;
}

export class SupervisedWorker<T> {
  private running: Running<T> | null = null;

  /**
   * @param name of the worker, in a message
   * @param start makes one, of those of client.ts; it is called by the first question, and again after a
   * death
   * @param onDeath is called after a death, when the questions that were open have been rejected
   */
  constructor(
    private readonly name: string,
    private readonly start: (onCrash: (message: string) => void) => WorkerHandle<T>,
    private readonly onDeath: (message: string) => void = () => undefined,
  ) {}

  /** For calls whose answer nobody waits for. */
  get api(): Remote<T> {
    return this.current().handle.api;
  }

  /** @throws WorkerDied where the worker ends first */
  ask<R>(question: (api: Remote<T>) => Promise<R>): Promise<R> {
    const { handle, died } = this.current();
    return Promise.race([question(handle.api), died]);
  }

  /** Ends the worker, if there is one: what it was asked is rejected. `onDeath` is not called. */
  end(): void {
    this.close('the page ended it');
  }

  private current(): Running<T> {
    if (this.running) return this.running;
    let reject!: Running<T>['reject'];
    const died = new Promise<never>((_, no) => (reject = no));
    handledElsewhere(died);
    const handle = this.start((message) => {
      if (this.running?.handle !== handle) return;
      this.close(message);
      this.onDeath(message);
    });
    this.running = { handle, died, reject };
    return this.running;
  }

  private close(message: string): void {
    const { running } = this;
    this.running = null;
    // A worker in which nothing caught an error may still run: nobody knows in what state it is.
    running?.handle.terminate();
    running?.reject(new WorkerDied(this.name, message));
  }
}
