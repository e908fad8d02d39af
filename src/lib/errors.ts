/** An error whose message is meant for the person: what happened, where, and what to do. */
export class UserError extends Error {
  override name = 'UserError';
}

/** A file is not the one that its source lists, or changed while it was read: what was made of it is void. */
export class ChangedFileError extends UserError {
  override name = 'ChangedFileError';
}

/** What was asked for is done only when the person asks a second time: the message says what would happen. */
export class NeedsConsentError extends UserError {
  override name = 'NeedsConsentError';
}

/** Whether an error asks for consent. @see isDeviceLost for why it goes by name */
export function needsConsent(error: unknown): boolean {
  return error instanceof Error && error.name === 'NeedsConsentError';
}

/** What was asked for needs more than this GPU has: a smaller max_length, r or model would fit. */
export class TooLargeError extends UserError {
  override name = 'TooLargeError';
}

/** Whether an error is that a run does not fit. @see isDeviceLost for why it goes by name */
export function isTooLarge(error: unknown): error is Error {
  return error instanceof Error && error.name === 'TooLargeError';
}

/**
 * The GPU went away with all it held (a crashed or updated driver, a laptop that slept). A new device can be
 * asked for.
 */
export class DeviceLostError extends Error {
  override name = 'DeviceLostError';
}

/**
 * Whether an error is the loss of the device; it may have come from another thread, which keeps names but no
 * classes.
 */
export function isDeviceLost(error: unknown): error is Error {
  return error instanceof Error && error.name === 'DeviceLostError';
}

/** The GPU was lost and does not come back by itself: whatever is started next meets the same. */
export class GpuGoneError extends UserError {
  override name = 'GpuGoneError';
}

/** Whether an error is that the GPU does not come back. @see isDeviceLost for why it goes by name */
export function isGpuGone(error: unknown): error is Error {
  return error instanceof Error && error.name === 'GpuGoneError';
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
