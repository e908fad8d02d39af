/** Promises whose failure is handled by somebody else. */

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
