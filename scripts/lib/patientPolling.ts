/**
 * Dawn's binding to Node asks again and again, by setImmediate, whether what is waited for is there: a whole
 * core goes into asking. Where a GPU works that is a matter of milliseconds; where the CPU is the GPU it
 * takes half of two cores away from it.
 */

/** A wait that is over sooner is asked after without a pause. */
const EAGER_MS = 0.3;
/** Two questions further apart belong to two waits. */
const ONE_WAIT_MS = 10;

let installed = false;

/** From now on Dawn asks once a millisecond. Callbacks of JavaScript are not touched. */
export function pollPatiently(): void {
  if (installed) return;
  installed = true;
  const immediately = globalThis.setImmediate;
  let [began, last] = [-Infinity, -Infinity];
  const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (!isNative(callback)) return immediately(callback, ...args);
    const now = performance.now();
    if (now - last > ONE_WAIT_MS) began = now;
    last = now;
    return now - began < EAGER_MS ? immediately(callback, ...args) : setTimeout(callback, 1, ...args);
  };
  globalThis.setImmediate = Object.assign<typeof patient, typeof setImmediate>(patient, immediately);
}

function isNative(callback: unknown): boolean {
  return Function.prototype.toString.call(callback).endsWith('{ [native code] }');
}
