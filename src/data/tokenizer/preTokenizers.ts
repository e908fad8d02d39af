/**
 * Pre-tokenizers of tokenizer.json, as Rust's tokenizers computes them: most are a split by a regular
 * expression.
 */
import { compilePattern, splitBy, type Piece } from './patterns.ts';
import type { PreTokenizer } from './tokenizerJson.ts';
import { PUNCTUATION, WHITE_SPACE, WORD } from './unicodeVersions.ts';

export type PreTokenize = (pieces: readonly Piece[]) => readonly Piece[];

const GPT2 = compilePattern({
  Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
});
const ONE_PUNCTUATION = new RegExp(PUNCTUATION, 'gu');
const ONE_SPACE = new RegExp(WHITE_SPACE, 'gu');
/** What char::is_numeric of Rust says: digits of all scripts, numbers of letters, fractions. */
const ONE_NUMBER = /\p{N}/gu;
const WORDS_AND_SYMBOLS = new RegExp(`[${WORD}]+|[^${WORD}${WHITE_SPACE}]+`, 'gu');

export function makePreTokenizer(component: PreTokenizer): PreTokenize {
  switch (component.type) {
    case 'Sequence': {
      const parts = component.pretokenizers.map(makePreTokenizer);
      return (pieces) => parts.reduce((split, part) => part(split), pieces);
    }
    case 'ByteLevel': {
      const { add_prefix_space = true, use_regex = true } = component;
      return (pieces) => {
        const spaced = add_prefix_space ? pieces.map((piece) => prefixed(piece, ' ', ' ')) : pieces;
        const split = use_regex ? splitBy(spaced, GPT2, 'Isolated') : spaced;
        return split.map(({ text, isFirst }) => ({ text: toByteAlphabet(text), isFirst }));
      };
    }
    case 'Metaspace':
      return metaspace(component);
    case 'Split': {
      const pattern = compilePattern(component.pattern);
      return (pieces) => splitBy(pieces, pattern, component.behavior, { invert: component.invert });
    }
    case 'Digits':
      return (pieces) =>
        splitBy(pieces, ONE_NUMBER, component.individual_digits ? 'Isolated' : 'Contiguous', {
          seenAs: (text) => text,
        });
    case 'Punctuation':
      return (pieces) => splitBy(pieces, ONE_PUNCTUATION, component.behavior ?? 'Isolated');
    case 'Whitespace':
      return (pieces) => splitBy(pieces, WORDS_AND_SYMBOLS, 'Removed', { invert: true });
    case 'WhitespaceSplit':
      return (pieces) => splitBy(pieces, ONE_SPACE, 'Removed');
    case 'BertPreTokenizer':
      return (pieces) => splitBy(splitBy(pieces, ONE_SPACE, 'Removed'), ONE_PUNCTUATION, 'Isolated');
  }
}

function metaspace(component: Extract<PreTokenizer, { type: 'Metaspace' }>): PreTokenize {
  const { replacement, split = true, add_prefix_space } = component;
  const scheme = add_prefix_space === false ? 'never' : (component.prepend_scheme ?? 'always');
  const boundary = compilePattern({ String: replacement });
  return (pieces) => {
    const marked = pieces.map(({ text, isFirst }) => {
      const piece = { text: text.replaceAll(' ', replacement), isFirst };
      return scheme === 'always' || (scheme === 'first' && isFirst)
        ? prefixed(piece, replacement, replacement)
        : piece;
    });
    return split ? splitBy(marked, boundary, 'MergedWithNext') : marked;
  };
}

function prefixed({ text, isFirst }: Piece, prefix: string, unlessStartsWith: string): Piece {
  return { text: text.startsWith(unlessStartsWith) ? text : prefix + text, isFirst };
}

/** GPT-2's alphabet: a printable character for each byte. */
export const BYTE_ALPHABET: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const utf8 = new TextEncoder();

function toByteAlphabet(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // The encoder takes far longer to be called than most words take to be copied.
    if (unit > 0x7f) return out + bytesInAlphabet(i === 0 ? text : text.slice(i));
    out += BYTE_ALPHABET[unit];
  }
  return out;
}

function bytesInAlphabet(text: string): string {
  let out = '';
  for (const byte of utf8.encode(text)) out += BYTE_ALPHABET[byte];
  return out;
}
