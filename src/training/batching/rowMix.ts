/**
 * Several training files mixed by a ratio (`mix_ratios`): what share of an epoch's documents each has. An
 * epoch has as many documents as without. Those of a file come as often as its share asks for; where that is
 * no whole number, some come once more, and others in the next epoch.
 */
import { baseName } from '../../data/files/fileNames.ts';
import type { RowFiles } from '../../data/rows/rowFiles.ts';
import { UserError } from '../../lib/errors.ts';
import { shuffled } from '../../lib/random.ts';

/** The documents of one file, [first, end), and how many of an epoch are theirs. */
export interface MixedFile {
  first: number;
  end: number;
  drawn: number;
}

/** @returns null where the recipe names no ratios @throws UserError where they are not those of the files */
export function rowMix(
  { names, firsts }: RowFiles,
  documents: number,
  ratios: Readonly<Record<string, number>>,
): MixedFile[] | null {
  const fault = mixFault(names, ratios);
  if (fault !== null) throw new UserError(fault);
  if (Object.keys(ratios).length === 0) return null;
  const ratioOf = new Map(Object.entries(ratios).map(([path, ratio]) => [baseName(path), ratio]));
  const shares = names.map((name) => ratioOf.get(baseName(name))!);
  const sum = shares.reduce((a, b) => a + b, 0);
  // Rounded so that all of them together are the epoch.
  let before = 0;
  let given = 0;
  return names.map((_, i) => {
    before += shares[i];
    const upTo = i === names.length - 1 ? documents : Math.round((documents * before) / sum);
    const drawn = upTo - given;
    given = upTo;
    return { first: firsts[i], end: firsts[i + 1] ?? documents, drawn };
  });
}

/** Why the ratios do not fit the training files; null where they do. */
export function mixFault(files: readonly string[], ratios: Readonly<Record<string, number>>): string | null {
  const named = Object.keys(ratios).map(baseName);
  if (named.length === 0) return null;
  const present = files.map(baseName);
  const lacking = present.find((name) => !named.includes(name));
  if (lacking !== undefined)
    return `"mix_ratios" has no ratio for the training file ${lacking}. Give one to each file, or remove the key.`;
  const unknown = named.find((name) => !present.includes(name));
  if (unknown !== undefined)
    return `"mix_ratios" names ${unknown}, which is no training file here. Drop it, or remove it from the key.`;
  if (new Set(present).size < present.length)
    return '"mix_ratios" cannot tell training files of the same name apart. Rename one of them.';
  return null;
}

/** The documents of an epoch in a random order. */
export function mixedOrder(mix: readonly MixedFile[], seed: number, epoch: number): Uint32Array {
  const drawn: number[] = [];
  for (const { first, end, drawn: wanted } of mix) {
    const own = end - first;
    // Goes on where the epoch before ended, through orders of the file that are drawn one after the other.
    let round = Math.floor((epoch * wanted) / own);
    let at = (epoch * wanted) % own;
    let order = own > 0 ? shuffled(own, seed ^ (first + 1), round) : new Uint32Array();
    for (let i = 0; i < wanted && own > 0; i++, at++) {
      if (at === own) {
        order = shuffled(own, seed ^ (first + 1), ++round);
        at = 0;
      }
      drawn.push(first + order[at]);
    }
  }
  return shuffled(drawn.length, seed, epoch).map((place) => drawn[place]);
}
