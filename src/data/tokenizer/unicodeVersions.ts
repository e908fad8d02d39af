/**
 * Characters that this JavaScript engine knows but the Rust libraries under Python's tokenizers do not,
 * because their Unicode tables are older. Found by asking tokenizers 0.23 about every code point.
 */
/* eslint no-misleading-character-class: off -- the classes are lists of code points, marks among them */

/**
 * Assigned after Unicode 16, the version of Oniguruma and of the regex crate: no letter, digit or symbol to
 * them.
 */
const AFTER_UNICODE_16 =
  '\\u088f\\u0c5c\\u0cdc\\u1acf-\\u1add\\u1ae0-\\u1aeb\\u20c1\\u2b96\\ua7ce\\ua7cf\\ua7d2\\ua7d4\\ua7f1\\ufbc3-\\ufbd2' +
  '\\ufd90\\ufd91\\ufdc8-\\ufdce\\u{10940}-\\u{10959}\\u{10ec5}-\\u{10ec7}\\u{10ed0}-\\u{10ed8}\\u{10efa}\\u{10efb}' +
  '\\u{11b60}-\\u{11b67}\\u{11db0}-\\u{11ddb}\\u{11de0}-\\u{11de9}\\u{16ea0}-\\u{16eb8}\\u{16ebb}-\\u{16ed3}' +
  '\\u{16ff2}-\\u{16ff6}\\u{187f8}-\\u{187ff}\\u{18d09}-\\u{18d1e}\\u{18d80}-\\u{18df2}\\u{1ccfa}-\\u{1ccfc}' +
  '\\u{1ceba}-\\u{1ced0}\\u{1cee0}-\\u{1cef0}\\u{1e6c0}-\\u{1e6de}\\u{1e6e0}-\\u{1e6f5}\\u{1e6fe}\\u{1e6ff}\\u{1f6d8}' +
  '\\u{1f777}-\\u{1f77a}\\u{1f8d0}-\\u{1f8d8}\\u{1fa54}-\\u{1fa57}\\u{1fa8a}\\u{1fa8e}\\u{1fac8}\\u{1facd}\\u{1faea}' +
  '\\u{1faef}\\u{1fbfa}\\u{2b73a}-\\u{2b73f}\\u{2cea2}-\\u{2cead}\\u{323b0}-\\u{33479}';

const NEWER = new RegExp(`[${AFTER_UNICODE_16}]|\\u0295`, 'gu');

/** Code points that no version of Unicode assigns, of one and of two UTF-16 code units. */
const UNASSIGNED = '\u0378';
const UNASSIGNED_PAIR = '\u{1fffe}';
/** A lower-case letter in the place of U+0295, which Unicode 17 made an "other letter". */
const LOWER_CASE = '\u0282';

/**
 * The text that a regular expression of this engine must be given so that it matches where Oniguruma and the
 * regex crate match the original: each newer character is replaced by one of the class that it has there.
 * Offsets stay what they are.
 */
export function asUnicode16(text: string): string {
  return text.replace(NEWER, (character) =>
    character === '\u0295' ? LOWER_CASE : character.length === 1 ? UNASSIGNED : UNASSIGNED_PAIR,
  );
}

/**
 * Characters whose decompositions the unicode-normalization crate does not have: canonical ones, and
 * compatibility ones.
 */
const CANONICAL =
  '\\u{105c9}\\u{105e4}\\u{11383}\\u{11385}\\u{1138e}\\u{11391}\\u{113c5}\\u{113c7}\\u{113c8}\\u{11938}' +
  '\\u{16121}-\\u{16128}\\u{16d68}-\\u{16d6a}';
const COMPATIBILITY =
  '\\u32ff\\ua7f1-\\ua7f4\\uab69\\u{10781}-\\u{10785}\\u{10787}-\\u{107b0}\\u{107b2}-\\u{107ba}\\u{1ccd6}-\\u{1ccf9}' +
  '\\u{1e030}-\\u{1e06d}\\u{1f16c}\\u{1fbf0}-\\u{1fbf9}';
/** Marks that it takes for characters which stand by themselves. */
const MARKS =
  '\\u07fd\\u0897-\\u089f\\u08ca-\\u08d3\\u09fe\\u0c3c\\u0d3b\\u0d3c\\u0eba\\u1715\\u1abf-\\u1add' +
  '\\u1ae0-\\u1aeb\\u1df6-\\u1dfa\\ua82c\\u{105c9}\\u{105e4}\\u{10d24}-\\u{10d27}\\u{10d69}-\\u{10d6d}' +
  '\\u{10eab}\\u{10eac}\\u{10efa}\\u{10efb}\\u{10efd}-\\u{10eff}\\u{10f46}-\\u{10f50}' +
  '\\u{10f82}-\\u{10f85}\\u{11070}\\u{1133b}\\u{11383}\\u{11385}\\u{1138e}\\u{11391}\\u{113c5}' +
  '\\u{113c7}\\u{113c8}\\u{113ce}-\\u{113d0}\\u{1145e}\\u{11839}\\u{1183a}\\u{11938}\\u{1193d}' +
  '\\u{1193e}\\u{11943}\\u{119e0}\\u{11a34}\\u{11a47}\\u{11a99}\\u{11d42}\\u{11d44}\\u{11d45}\\u{11d97}' +
  '\\u{11f41}\\u{11f42}\\u{16121}-\\u{16128}\\u{1612f}\\u{16d68}-\\u{16d6a}\\u{16ff0}\\u{16ff1}' +
  '\\u{1e08f}\\u{1e130}-\\u{1e136}\\u{1e2ae}\\u{1e2ec}-\\u{1e2ef}\\u{1e4ec}-\\u{1e4ef}\\u{1e5ee}' +
  '\\u{1e5ef}\\u{1e6e3}\\u{1e6e6}\\u{1e6ee}\\u{1e6ef}\\u{1e6f5}';
const NEW_COMPOSITIONS = new RegExp(`[${CANONICAL}]`, 'gu');
const LEFT_ALONE = new RegExp(`([${CANONICAL}${COMPATIBILITY}${MARKS}])`, 'u');

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** A Unicode normal form as the unicode-normalization crate computes it. */
export function normalForm(text: string, form: NormalForm): string {
  // Odd parts are the characters that the crate leaves as they are.
  return text
    .split(LEFT_ALONE)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.normalize(form).replace(NEW_COMPOSITIONS, (composed) => composed.normalize('NFD')),
    )
    .join('');
}

/**
 * White_Space of Unicode, which `\s` is in Oniguruma and the regex crate; JavaScript's own has U+FEFF and
 * lacks U+0085.
 */
export const WHITE_SPACE = '\\p{White_Space}';
/** `\w` of the regex crate. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
/** What newer versions of Unicode call punctuation and the unicode_categories crate (Unicode 8) does not. */
const NO_PUNCTUATION =
  '\\u061d\\u09fd\\u0a76\\u0c77\\u0c84\\u1b4e\\u1b4f\\u1b7d-\\u1b7f\\u2e43-\\u2e4f\\u2e52-\\u2e5d' +
  '\\u{10d6e}\\u{10ead}\\u{10ed0}\\u{10f55}-\\u{10f59}\\u{10f86}-\\u{10f89}\\u{113d4}\\u{113d5}' +
  '\\u{113d7}\\u{113d8}\\u{1144b}-\\u{1144f}\\u{1145a}\\u{1145b}\\u{1145d}\\u{11660}-\\u{1166c}' +
  '\\u{116b9}\\u{1183b}\\u{11944}-\\u{11946}\\u{119e2}\\u{11a3f}-\\u{11a46}\\u{11a9a}-\\u{11a9c}' +
  '\\u{11a9e}-\\u{11aa2}\\u{11b00}-\\u{11b09}\\u{11be1}\\u{11c41}-\\u{11c45}\\u{11c70}\\u{11c71}' +
  '\\u{11ef7}\\u{11ef8}\\u{11f43}-\\u{11f4f}\\u{11fff}\\u{12ff1}\\u{12ff2}\\u{16d6d}-\\u{16d6f}' +
  '\\u{16e97}-\\u{16e9a}\\u{16fe2}\\u{1e5ff}\\u{1e95e}\\u{1e95f}';
/** One character of punctuation to the unicode_categories crate, or of ASCII's. */
export const PUNCTUATION = `(?![${NO_PUNCTUATION}])[\\p{P}!-\\/:-@\\[-\`{-~\\u166d\\u{111c9}]`;
