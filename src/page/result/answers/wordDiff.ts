/**
 * Words of an answer beside its reference: what both have, what only the reference has, what only the answer
 * has.
 */
import { diffWordsWithSpace } from 'diff';

export interface DiffPart {
  text: string;
  kind: 'same' | 'missing' | 'added';
}

/**
 * Texts longer than this many characters are compared as wholes: a diff of very long ones would hold the page
 * up.
 */
const LONGEST = 20_000;

export function wordDiff(reference: string, answer: string): DiffPart[] {
  if (reference.length + answer.length > LONGEST) {
    return reference === answer
      ? [{ text: answer, kind: 'same' }]
      : [
          { text: reference, kind: 'missing' },
          { text: answer, kind: 'added' },
        ];
  }
  return diffWordsWithSpace(reference, answer).map(({ value, added, removed }) => ({
    text: value,
    kind: added ? 'added' : removed ? 'missing' : 'same',
  }));
}
