/** An error whose message is meant for the person: what happened, where, and what to do. */
export class UserError extends Error {
  override name = 'UserError';
}

/** The GPU went away with all it held (a crashed or updated driver, a laptop that slept). A new device can be asked for. */
export class DeviceLostError extends Error {
  override name = 'DeviceLostError';
}

/** Whether an error is the loss of the device; it may have come from another thread, which keeps names but no classes. */
export function isDeviceLost(error: unknown): error is Error {
  return error instanceof Error && error.name === 'DeviceLostError';
}
