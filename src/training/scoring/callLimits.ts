/** Limits of one call of a person's function. What an interpreter cannot end is ended with its worker. */
export const CALL_LIMITS = { milliseconds: 1000, memoryBytes: 64 * 2 ** 20, stackBytes: 128 * 2 ** 10 };
