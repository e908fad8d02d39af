/** Numbers as people read them. */
export { bytes, compact, duration, integer, share } from './language/numbers.ts';
