/**
 * Added tokens: they are found in a text before anything else is done to it. AddedVocabulary of Rust's
 * tokenizers.
 */
import { UserError } from '../../lib/errors.ts';
import type { Normalize } from './normalizers.ts';
import type { AddedToken } from './tokenizerJson.ts';
import { asUnicode16, WHITE_SPACE, WORD } from './unicodeVersions.ts';

/** A stretch of a text: an added token, or text between added tokens. */
export interface Section {
  text: string;
  /** Offset in the text that was searched, in UTF-16 code units. */
  start: number;
  /** null: not an added token. */
  id: number | null;
}

const ENDS_WITH_WORD = new RegExp(`[${WORD}]$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^[${WORD}]`, 'u');
const IS_SPACE = new RegExp(`^${WHITE_SPACE}$`, 'u');

export class AddedTokens {
  /** In the order in which they were added. */
  readonly tokens: AddedToken[] = [];
  private readonly byContent = new Map<string, AddedToken>();
  private readonly byId = new Map<number, AddedToken>();
  private raw: Finder | null = null;
  private normalized: Finder | null = null;

  /**
   * Ids are given as Rust gives them: the model's own for a text in its vocabulary, else the next free one,
   * whatever the file says.
   * @param modelIds ids of the model's vocabulary by text
   */
  constructor(
    private readonly modelIds: ReadonlyMap<string, number>,
    private readonly normalize: Normalize,
  ) {}

  add(token: Omit<AddedToken, 'id'>): AddedToken | null {
    if (token.content === '' || this.byContent.has(token.content)) return null;
    const added = { ...token, id: this.modelIds.get(token.content) ?? this.nextId() };
    this.tokens.push(added);
    this.byContent.set(added.content, added);
    this.byId.set(added.id, added);
    this.raw = this.normalized = null;
    return added;
  }

  has(content: string): boolean {
    return this.byContent.has(content);
  }

  idOf(content: string): number | undefined {
    return this.byContent.get(content)?.id;
  }

  /** A token that is looked for in normalized text is written so. */
  textOf(id: number): string | undefined {
    const token = this.byId.get(id);
    return token?.normalized ? this.normalize(token.content) : token?.content;
  }

  /** The id that the next token outside the model's vocabulary gets. */
  nextId(): number {
    const largest = this.tokens.reduce((most, { id }) => Math.max(most, id), -1);
    return Math.max(this.modelIds.size, largest + 1);
  }

  /** Cuts a text at the tokens that are looked for before normalization. */
  findRaw(text: string): Section[] {
    this.raw ??= new Finder(
      this.tokens.filter(({ normalized }) => !normalized).map((token) => [token.content, token]),
    );
    return this.raw.find(text);
  }

  /** Cuts a normalized text at the tokens that are looked for in it, in their own normalized forms. */
  findNormalized(text: string): Section[] {
    this.normalized ??= new Finder(
      this.tokens
        .filter(({ normalized }) => normalized)
        .map((token) => [this.normalize(token.content), token]),
    );
    return this.normalized.find(text);
  }
}

/** UTF-16 code units of an added token, and of all together: real ones have some dozens each. */
const LONGEST_TOKEN = 1024;
const MOST_TOGETHER = 2 ** 21;

/** Finds the leftmost and, among those that begin there, the longest of some texts. */
class Finder {
  private readonly pattern: RegExp | null;
  private readonly tokens = new Map<string, AddedToken>();

  constructor(entries: readonly (readonly [string, AddedToken])[]) {
    for (const [content, token] of entries) {
      if (content === '' || this.tokens.has(content))
        throw new UserError(
          `tokenizer.json cannot be used: its normalizer makes the added token ${JSON.stringify(token.content)} ${content === '' ? 'empty' : 'equal to another'}, which Python refuses too. Use the model's own tokenizer files.`,
        );
      this.tokens.set(content, token);
    }
    let together = 0;
    for (const content of this.tokens.keys()) {
      together += content.length;
      if (content.length > LONGEST_TOKEN || together > MOST_TOGETHER)
        throw new UserError(
          `tokenizer.json cannot be used: its added token ${JSON.stringify(content.slice(0, 20))}… has ${content.length} characters, or all together have more than ${MOST_TOGETHER}, which no text could be searched for in good time. Use the model's own tokenizer files.`,
        );
    }
    const longestFirst = [...this.tokens.keys()].sort((a, b) => b.length - a.length);
    const escaped = longestFirst.map((content) => content.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    this.pattern = escaped.length > 0 ? new RegExp(escaped.join('|'), 'g') : null;
  }

  find(text: string): Section[] {
    if (text === '') return [];
    if (!this.pattern) return [{ text, start: 0, id: null }];
    const sections: Section[] = [];
    let done = 0;
    for (const match of text.matchAll(this.pattern)) {
      const token = this.tokens.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      if (token.single_word && touchesWord(text, start, end)) continue;
      // Of white space that a token before has taken, one that takes some to its left too gets none: it is
      // then empty and left out.
      if (token.lstrip) {
        while (start > done && IS_SPACE.test(text.charAt(start - 1))) start--;
        start = Math.max(start, done);
      }
      if (token.rstrip) while (end < text.length && IS_SPACE.test(text.charAt(end))) end++;
      if (done < start) sections.push({ text: text.slice(done, start), start: done, id: null });
      if (end > start) sections.push({ text: text.slice(start, end), start, id: token.id });
      done = end;
    }
    if (done < text.length) sections.push({ text: text.slice(done), start: done, id: null });
    return sections;
  }
}

/** Whether a letter, digit or the like stands beside a stretch of a text. */
function touchesWord(text: string, start: number, end: number): boolean {
  // Two code units are enough for one character on either side.
  return (
    ENDS_WITH_WORD.test(asUnicode16(text.slice(Math.max(0, start - 2), start))) ||
    STARTS_WITH_WORD.test(asUnicode16(text.slice(end, end + 2)))
  );
}
