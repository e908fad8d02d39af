/** Limits of one call of a person's function. What an interpreter cannot end is ended with its worker. */
export const CALL_LIMITS = { milliseconds: 1000, memoryBytes: 64 * 2 ** 20, stackBytes: 128 * 2 ** 10 };

/** What is said of a call that was ended, after the function's name. */
export function tookTooLong(milliseconds: number): string {
  return `did not end within ${milliseconds / 1000} s: look for an endless loop`;
}
