/** Promises whose failure is handled by somebody else, and calls that take turns. */

/**
 * Keeps a runtime from reporting a rejection as unhandled before its handler is attached.
 * Only for a promise that is awaited elsewhere: that place handles the error.
 */
export function handledElsewhere(promise: Promise<unknown>): void {
  promise.then(undefined, () => undefined);
}

/** Resolves when the promise has ended in either way: for a queue whose callers handle their own errors. */
export function settled(promise: Promise<unknown>): Promise<void> {
  return promise.then(
    () => undefined,
    () => undefined,
  );
}

/** Runs calls one after the other, in the order in which they came. One that fails does not stop the next. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** @returns what the call gives, once those before it have ended */
  take<T>(call: () => Promise<T>): Promise<T> {
    const result = this.last.then(call);
    this.last = settled(result);
    return result;
  }
}
