/**
 * Firefox notices that the GPU has finished only every 100 ms, or when something is submitted
 * (https://bugzilla.mozilla.org/show_bug.cgi?id=1870699): a token, a step's loss would take 100 ms each. So
 * there empty submissions are made while an answer is waited for. Seen in Firefox 159: a read-back takes 100
 * ms without them, 1 to 5 ms with them.
 */

import { settled } from '../lib/promises.ts';

/** An answer may come at once: so long it is asked for as often as the thread's other tasks let it. */
const EAGER_MS = 5;
/** Later a pause is this share of what was waited already, so that long work is asked for seldom. */
const PAUSE_SHARE = 1 / 8;

/**
 * The same promise, or in Firefox one that is settled about as early as the GPU is ready.
 * @param answer of `mapAsync` or `onSubmittedWorkDone`
 */
export function promptly<T>(device: GPUDevice, answer: Promise<T>): Promise<T> {
  return isFirefox() ? nudging(device, answer) : answer;
}

function isFirefox(): boolean {
  return /\bFirefox\//.test(globalThis.navigator?.userAgent ?? '');
}

async function nudging<T>(device: GPUDevice, answer: Promise<T>): Promise<T> {
  let isWaiting = true;
  void settled(answer).then(() => (isWaiting = false));
  const began = performance.now();
  while (isWaiting) {
    device.queue.submit([]);
    const waited = performance.now() - began;
    await (waited < EAGER_MS ? nextTask() : pause(waited * PAUSE_SHARE));
  }
  return answer;
}

/** Once the tasks that wait in this thread have run. */
function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
