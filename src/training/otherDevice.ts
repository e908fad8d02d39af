/** A run that goes on from a checkpoint of another device. */
import { NeedsConsentError } from '../lib/errors.ts';

const IS_SLOW = /TensorFlow\.js|swiftshader|llvmpipe|lavapipe/i;

/**
 * A run that was made on another device does not go on here, to other bytes and perhaps ten times slower,
 * without being asked to.
 * @param before the run's device in words; null: it has not been trained yet, or the person insists
 * @throws NeedsConsentError
 */
export function refuseOtherDevice(before: string | null, device: string): void {
  if (!before || device === before) return;
  if (IS_SLOW.test(device) && !IS_SLOW.test(before))
    throw new NeedsConsentError(
      `This run was trained on ${before}; this browser now offers ${device}, which is many times slower and gives other bytes. Where the GPU was lost, Chromium gives it back after about two minutes: wait, or restart the browser. To go on as it is, press Resume once more.`,
    );
  throw new NeedsConsentError(
    `This run was trained on ${before}; this is ${device}. It would go on from the same numbers, but another adapter rounds otherwise: the bytes will be others than ${before} would give. To go on here, press Resume once more.`,
  );
}
