/** A tokenizer.json as Python's tokenizers applies it: the same ids for any text. */
import { AddedTokens, type Section } from './addedTokens.ts';
import { makeDecoder } from './decoders.ts';
import { makeNormalizer, type Normalize } from './normalizers.ts';
import { makePreTokenizer, type PreTokenize } from './preTokenizers.ts';
import { readTokenizerJson, type AddedToken, type PostProcessor } from './tokenizerJson.ts';
import { makeVocabulary, type Vocabulary } from './vocabularies.ts';

/** Texts between added tokens that are kept with their ids, and UTF-16 code units of the longest. */
const SECTIONS_KEPT = 256;
const LONGEST_SECTION_KEPT = 16_384;

export class PythonTokenizer {
  readonly added: AddedTokens;
  private readonly normalize: Normalize;
  private readonly preTokenize: PreTokenize;
  private readonly vocabulary: Vocabulary;
  private readonly join: (tokens: readonly string[]) => string;
  private readonly around: { before: string[]; after: string[] };
  /** Texts of the model's vocabulary by id. */
  private readonly texts: (string | undefined)[] = [];
  /** Ids of sections that were met lately: of those at a text's beginning, and of others. */
  private readonly sections = [new Map<string, number[]>(), new Map<string, number[]>()] as const;

  /** @throws UserError naming what of the file is not known to give Python's ids */
  constructor(json: Record<string, unknown>) {
    const read = readTokenizerJson(json);
    this.normalize = read.normalizer ? makeNormalizer(read.normalizer) : (text) => text;
    this.preTokenize = read.pre_tokenizer ? makePreTokenizer(read.pre_tokenizer) : (pieces) => pieces;
    this.vocabulary = makeVocabulary(read.model);
    this.join = makeDecoder(read.decoder ?? null);
    this.around = read.post_processor ? tokensAround(read.post_processor) : { before: [], after: [] };
    for (const [text, id] of this.vocabulary.ids) this.texts[id] = text;
    this.added = new AddedTokens(this.vocabulary.ids, this.normalize);
    for (const token of read.added_tokens) this.added.add(token);
  }

  /** Ids of a text; added tokens that are written in it become their ids, none is put around it. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (const section of this.added.findRaw(wellFormed(text))) {
      if (section.id !== null) ids.push(section.id);
      else for (const id of this.sectionIds(section)) ids.push(id);
    }
    return ids;
  }

  /** Ids of a text between added tokens. A system prompt comes in every row, a question twice in a row. */
  private sectionIds({ text, start }: Section): readonly number[] {
    const isFirst = start === 0;
    const sections = this.sections[isFirst ? 0 : 1];
    const known = sections.get(text);
    if (known) return known;
    const ids: number[] = [];
    for (const part of this.added.findNormalized(this.normalize(text))) {
      if (part.id !== null) ids.push(part.id);
      else this.encodeWords(part.text, isFirst && part.start === 0, ids);
    }
    if (text.length <= LONGEST_SECTION_KEPT) {
      if (sections.size >= SECTIONS_KEPT) sections.clear();
      sections.set(text, ids);
    }
    return ids;
  }

  private encodeWords(text: string, isFirst: boolean, ids: number[]): void {
    for (const piece of this.preTokenize([{ text, isFirst }]))
      for (const id of this.vocabulary.idsOf(piece.text)) ids.push(id);
  }

  /** Ids that the tokenizer puts before and after a text by itself. */
  get aroundText(): { before: number[]; after: number[] } {
    const ids = (tokens: readonly string[]) =>
      tokens.map((token) => this.idOf(token)).filter((id) => id !== undefined);
    return { before: ids(this.around.before), after: ids(this.around.after) };
  }

  /** Ids without a token are left out. */
  decode(ids: readonly number[], isLeftOut: (id: number) => boolean = () => false): string {
    const tokens = ids.filter((id) => !isLeftOut(id)).map((id) => this.tokenOf(id));
    return this.join(tokens.filter((token) => token !== undefined));
  }

  idOf(token: string): number | undefined {
    return this.added.idOf(token) ?? this.vocabulary.ids.get(token);
  }

  /** The token as the vocabulary writes it. */
  tokenOf(id: number): string | undefined {
    return this.added.textOf(id) ?? this.texts[id];
  }

  /**
   * Adds a token that the file lacks, as transformers does when it loads a tokenizer.
   * @returns null where it is there already
   */
  addToken(token: Omit<AddedToken, 'id'>): AddedToken | null {
    for (const sections of this.sections) sections.clear();
    return this.added.add(token);
  }
}

/** Lone surrogates, which UTF-8 cannot hold, as the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}

/** Tokens that a post-processor puts before and after one text. */
function tokensAround(component: PostProcessor): { before: string[]; after: string[] } {
  switch (component.type) {
    case 'ByteLevel':
      return { before: [], after: [] };
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [component.cls[0]], after: [component.sep[0]] };
    case 'TemplateProcessing': {
      const middle = component.single.findIndex((piece) => 'Sequence' in piece);
      const tokens = (pieces: typeof component.single) =>
        pieces.flatMap((piece) =>
          'SpecialToken' in piece ? (component.special_tokens[piece.SpecialToken.id]?.tokens ?? []) : [],
        );
      return {
        before: tokens(component.single.slice(0, middle)),
        after: tokens(component.single.slice(middle + 1)),
      };
    }
    case 'Sequence':
      return component.processors.map(tokensAround).reduce(
        (all, { before, after }) => ({
          before: [...before, ...all.before],
          after: [...all.after, ...after],
        }),
        { before: [], after: [] },
      );
  }
}
