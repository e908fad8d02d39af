/**
 * Patterns of tokenizer.json as regular expressions of this engine, and splitting a text by them as Rust's
 * tokenizers does.
 */
import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../lib/errors.ts';
import { explodes } from './backtracking.ts';
import type { Pattern, SplitBehavior } from './tokenizerJson.ts';
import { asUnicode16 } from './unicodeVersions.ts';

/** A part of a text between pre-tokenizers. */
export interface Piece {
  text: string;
  /** Whether it begins where the whole text begins. */
  isFirst: boolean;
}

/** @throws UserError for an expression that cannot be translated */
export function compilePattern(pattern: Pattern): RegExp {
  if ('String' in pattern) return new RegExp(pattern.String.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
  const source = pattern.Regex;
  try {
    const translated = new SplitPreTokenizer({
      type: 'Split',
      pattern: { Regex: foldLikeUnicode(withoutPossessives(source)) },
      behavior: 'Isolated',
      invert: false,
    }).pattern;
    if (translated && explodes(translated, source))
      throw new UserError(
        `tokenizer.json cannot be used: the time that its regular expression ${source.slice(0, 120)} takes grows exponentially with the text. It is damaged or was made to do harm: use the model's original tokenizer.json.`,
      );
    if (translated) return translated;
  } catch (error) {
    if (error instanceof UserError) throw error;
  }
  throw untranslatable(source);
}

function untranslatable(source: string): UserError {
  return new UserError(
    `tokenizer.json cannot be used: the regular expression ${source.slice(0, 120)} cannot be read as Python reads it. Use a model whose tokenizer Finetab reads.`,
  );
}

/**
 * One piece of an expression that a quantifier applies to, but for groups: a class, an escape or a character.
 */
const ATOM =
  /\[(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|[^\]\\])*\]|\\[pPxu]\{[^}]*\}|\\[\s\S]|[^\\[\]()|?*+{}]/y;

/**
 * Writes possessive quantifiers, which JavaScript lacks, as a look-ahead whose match is then consumed: `a++`
 * becomes `(?:(?=(?<p1>a+))\k<p1>)`, from which nothing is given back either.
 * @throws UserError for a possessive or atomic group
 */
function withoutPossessives(source: string): string {
  let out = '';
  let groups = 0;
  for (let i = 0; i < source.length;) {
    ATOM.lastIndex = i;
    const atom = ATOM.exec(source)?.[0];
    if (atom === undefined) {
      if (/^(?:\(\?>|\)[?*+]\+)/.test(source.slice(i, i + 3))) throw untranslatable(source);
      out += source[i++];
      continue;
    }
    i += atom.length;
    const quantifier = /^[?*+]\+/.exec(source.slice(i, i + 2));
    if (quantifier) {
      const name = `p${++groups}`;
      out += `(?:(?=(?<${name}>${atom}${source[i]}))\\k<${name}>)`;
      i += 2;
    } else out += atom;
  }
  return out;
}

/**
 * In a group without regard to case Oniguruma folds by Unicode: ſ (U+017F) is an s and the Kelvin sign a k.
 * The library's translation folds ASCII only, so both are written out.
 * @throws UserError where a ligature would be folded too
 */
function foldLikeUnicode(source: string): string {
  return source.replace(/\(\?i:((?:[^()]|\((?:\?:)?[^()]*\))*)\)/g, (_, inside: string) => {
    if (
      /ss|st|ff|fi|fl|[^\x20-\x7e]/i.test(inside.replace(/\[[^\]]*\]/g, '')) &&
      !/^[\x20-\x7e’]*$/.test(inside)
    )
      throw untranslatable(source);
    let depth = 0;
    const folded = inside.replace(/\\.|./gs, (character) => {
      if (character === '[') depth++;
      if (character === ']') depth--;
      const twin = /^s$/i.test(character) ? 'ſ' : /^k$/i.test(character) ? '\u212a' : null;
      return twin === null ? character : depth > 0 ? character + twin : `[${character}${twin}]`;
    });
    return `(?i:${folded})`;
  });
}

/**
 * The most characters that normalizers or decoders may make of so many: real ones write a few for one (18 at
 * most in Unicode's own forms), components that feed each other double a text with each.
 */
export const mostMadeOf = (characters: number): number => 64 * characters + 4096;

/** @throws UserError */
export function refuseGrowth(most: number): never {
  throw new UserError(
    `tokenizer.json cannot be used: of a short text its normalizer or decoder makes more than ${most} characters. It is damaged or was made to do harm: use the model's original tokenizer.json.`,
  );
}

/**
 * Replaces what the expression matches; what is replaced is found as Oniguruma finds it.
 * @param most characters of the result
 * @throws UserError where it has more
 */
export function replaceAll(text: string, pattern: RegExp, content: string, most: number): string {
  let out = '';
  let at = 0;
  for (const match of asUnicode16(text).matchAll(pattern)) {
    out += text.slice(at, match.index) + content;
    if (out.length > most) refuseGrowth(most);
    at = match.index + match[0].length;
  }
  return out + text.slice(at);
}

interface Span {
  start: number;
  end: number;
  isMatch: boolean;
}

/**
 * Splits pieces at what the expression matches. Empty parts are dropped.
 * @param invert takes what lies between for the matches
 * @param seenAs the text that the expression is given in place of a piece's; by default as Oniguruma's
 * Unicode tables see it
 */
export function splitBy(
  pieces: readonly Piece[],
  pattern: RegExp,
  behavior: SplitBehavior,
  { invert = false, seenAs = asUnicode16 }: { invert?: boolean; seenAs?: (text: string) => string } = {},
): Piece[] {
  const parts: Piece[] = [];
  for (const { text, isFirst } of pieces)
    for (const { start, end } of merged(spansOf(seenAs(text), pattern, invert), behavior))
      if (end > start) parts.push({ text: text.slice(start, end), isFirst: isFirst && start === 0 });
  return parts;
}

function spansOf(text: string, pattern: RegExp, invert: boolean): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (at !== match.index) spans.push({ start: at, end: match.index, isMatch: invert });
    at = match.index + match[0].length;
    spans.push({ start: match.index, end: at, isMatch: !invert });
  }
  if (at !== text.length) spans.push({ start: at, end: text.length, isMatch: invert });
  return spans;
}

/** NormalizedString::split of Rust's tokenizers. */
function merged(spans: readonly Span[], behavior: SplitBehavior): Span[] {
  switch (behavior) {
    case 'Isolated':
      return [...spans];
    case 'Removed':
      return spans.filter(({ isMatch }) => !isMatch);
    case 'Contiguous':
      return joinedWhere(spans, (span, before) => span.isMatch === (before?.isMatch ?? false));
    case 'MergedWithPrevious':
      return joinedWhere(spans, (span, before) => span.isMatch && !(before?.isMatch ?? false));
    case 'MergedWithNext': {
      const mirrored = [...spans].reverse();
      return joinedWhere(mirrored, (span, before) => span.isMatch && !(before?.isMatch ?? false)).reverse();
    }
  }
}

/** Joins a span to the one before it where it is said to belong to it. */
function joinedWhere(
  spans: readonly Span[],
  belongs: (span: Span, before: Span | undefined) => boolean,
): Span[] {
  const out: Span[] = [];
  spans.forEach((span, i) => {
    const last = out.at(-1);
    if (last && belongs(span, spans[i - 1])) {
      last.start = Math.min(last.start, span.start);
      last.end = Math.max(last.end, span.end);
    } else out.push({ ...span });
  });
  return out;
}
