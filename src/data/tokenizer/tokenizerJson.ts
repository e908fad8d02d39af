/**
 * What of tokenizer.json is read: an explicit list of components and of their options, each known to give the
 * ids of Python's tokenizers. Anything else is refused by name, because a guess would train on ids that the
 * model does not know.
 */
import * as v from 'valibot';
import { UserError } from '../../lib/errors.ts';
import { isNestedDeeper } from '../files/nesting.ts';
import {
  bpe,
  tokenId,
  unigram,
  wordPiece,
  type BpeModel,
  type UnigramModel,
  type WordPieceModel,
} from './tokenizerModels.ts';

/** Levels of a component: sequences of sequences. */
const DEEPEST = 64;
const flag = v.optional(v.boolean());
const type = <T extends string>(name: T) => ({ type: v.literal(name) });
const pattern = v.union([
  v.strictObject({ String: v.pipe(v.string(), v.nonEmpty()) }),
  v.strictObject({ Regex: v.string() }),
]);
const behavior = v.picklist(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);

export type Pattern = v.InferOutput<typeof pattern>;
export type SplitBehavior = v.InferOutput<typeof behavior>;

const simpleNormalizers = [
  v.strictObject(type('NFC')),
  v.strictObject(type('NFD')),
  v.strictObject(type('NFKC')),
  v.strictObject(type('NFKD')),
  v.strictObject(type('Lowercase')),
  v.strictObject({ ...type('Strip'), strip_left: v.boolean(), strip_right: v.boolean() }),
  v.strictObject({ ...type('Prepend'), prepend: v.string() }),
  v.strictObject({ ...type('Replace'), pattern, content: v.string() }),
  // Without stripping accents, which lowercasing alone switches on: its Unicode tables are too old to be
  // followed.
  v.strictObject({
    ...type('BertNormalizer'),
    clean_text: v.boolean(),
    handle_chinese_chars: v.boolean(),
    strip_accents: v.nullish(v.literal(false)),
    lowercase: v.boolean(),
  }),
] as const;
type SimpleNormalizer = v.InferOutput<(typeof simpleNormalizers)[number]>;
export type Normalizer = SimpleNormalizer | { type: 'Sequence'; normalizers: Normalizer[] };
const normalizer: v.GenericSchema<Normalizer> = v.variant('type', [
  ...simpleNormalizers,
  v.strictObject({ ...type('Sequence'), normalizers: v.array(v.lazy(() => normalizer)) }),
]);

const simplePreTokenizers = [
  v.strictObject({ ...type('ByteLevel'), add_prefix_space: flag, trim_offsets: flag, use_regex: flag }),
  v.strictObject({
    ...type('Metaspace'),
    replacement: v.pipe(v.string(), v.regex(/^.$/u)),
    prepend_scheme: v.optional(v.picklist(['always', 'first', 'never'])),
    split: flag,
    // Files of old versions.
    add_prefix_space: flag,
    str_rep: v.optional(v.string()),
  }),
  v.strictObject({ ...type('Split'), pattern, behavior, invert: v.boolean() }),
  v.strictObject({ ...type('Digits'), individual_digits: v.boolean() }),
  v.strictObject({ ...type('Punctuation'), behavior: v.optional(behavior) }),
  v.strictObject(type('Whitespace')),
  v.strictObject(type('WhitespaceSplit')),
  v.strictObject(type('BertPreTokenizer')),
] as const;
type SimplePreTokenizer = v.InferOutput<(typeof simplePreTokenizers)[number]>;
export type PreTokenizer = SimplePreTokenizer | { type: 'Sequence'; pretokenizers: PreTokenizer[] };
const preTokenizer: v.GenericSchema<PreTokenizer> = v.variant('type', [
  ...simplePreTokenizers,
  v.strictObject({ ...type('Sequence'), pretokenizers: v.array(v.lazy(() => preTokenizer)) }),
]);

const simpleDecoders = [
  v.strictObject({ ...type('ByteLevel'), add_prefix_space: flag, trim_offsets: flag, use_regex: flag }),
  v.strictObject(type('ByteFallback')),
  v.strictObject(type('Fuse')),
  v.strictObject({
    ...type('Strip'),
    content: v.string(),
    start: tokenId,
    stop: tokenId,
  }),
  v.strictObject({ ...type('Replace'), pattern, content: v.string() }),
  v.strictObject({
    ...type('Metaspace'),
    replacement: v.string(),
    prepend_scheme: v.optional(v.picklist(['always', 'first', 'never'])),
    split: flag,
    add_prefix_space: flag,
    str_rep: v.optional(v.string()),
  }),
  v.strictObject({ ...type('WordPiece'), prefix: v.string(), cleanup: v.boolean() }),
  v.strictObject({ ...type('BPEDecoder'), suffix: v.string() }),
] as const;
type SimpleDecoder = v.InferOutput<(typeof simpleDecoders)[number]>;
export type Decoder = SimpleDecoder | { type: 'Sequence'; decoders: Decoder[] };
const decoder: v.GenericSchema<Decoder> = v.variant('type', [
  ...simpleDecoders,
  v.strictObject({ ...type('Sequence'), decoders: v.array(v.lazy(() => decoder)) }),
]);

const piece = v.union([
  v.strictObject({ SpecialToken: v.strictObject({ id: v.string(), type_id: v.number() }) }),
  v.strictObject({ Sequence: v.strictObject({ id: v.picklist(['A', 'B']), type_id: v.number() }) }),
]);
const tokenAndId = v.tuple([v.string(), tokenId]);
const simplePostProcessors = [
  v.strictObject({ ...type('ByteLevel'), add_prefix_space: flag, trim_offsets: flag, use_regex: flag }),
  v.strictObject({
    ...type('TemplateProcessing'),
    single: v.array(piece),
    pair: v.array(piece),
    special_tokens: v.record(
      v.string(),
      v.strictObject({
        id: v.string(),
        ids: v.array(tokenId),
        tokens: v.array(v.string()),
      }),
    ),
  }),
  v.strictObject({ ...type('BertProcessing'), sep: tokenAndId, cls: tokenAndId }),
  v.strictObject({
    ...type('RobertaProcessing'),
    sep: tokenAndId,
    cls: tokenAndId,
    trim_offsets: flag,
    add_prefix_space: flag,
  }),
] as const;
type SimplePostProcessor = v.InferOutput<(typeof simplePostProcessors)[number]>;
export type PostProcessor = SimplePostProcessor | { type: 'Sequence'; processors: PostProcessor[] };
const postProcessor: v.GenericSchema<PostProcessor> = v.variant('type', [
  ...simplePostProcessors,
  v.strictObject({ ...type('Sequence'), processors: v.array(v.lazy(() => postProcessor)) }),
]);

const addedToken = v.strictObject({
  id: tokenId,
  content: v.pipe(v.string(), v.nonEmpty()),
  single_word: v.boolean(),
  lstrip: v.boolean(),
  rstrip: v.boolean(),
  normalized: v.boolean(),
  special: v.boolean(),
});
export type AddedToken = v.InferOutput<typeof addedToken>;

const tokenizerJson = v.strictObject({
  version: v.optional(v.unknown()),
  // Of batches that Python pads and cuts; rows are neither.
  truncation: v.optional(v.unknown()),
  padding: v.optional(v.unknown()),
  added_tokens: v.optional(v.array(addedToken), []),
  normalizer: v.nullish(normalizer),
  pre_tokenizer: v.nullish(preTokenizer),
  post_processor: v.nullish(postProcessor),
  decoder: v.nullish(decoder),
  model: v.unknown(),
});

export type TokenizerJson = Omit<v.InferOutput<typeof tokenizerJson>, 'model'> & {
  model:
    | ({ kind: 'BPE' } & BpeModel)
    | ({ kind: 'Unigram' } & UnigramModel)
    | ({ kind: 'WordPiece' } & WordPieceModel);
};

/** @throws UserError naming the component or the option that is not known to give Python's ids */
export function readTokenizerJson(json: Record<string, unknown>): TokenizerJson {
  for (const key of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'])
    if (isNestedDeeper(json[key], DEEPEST))
      throw new UserError(
        `tokenizer.json cannot be used: its ${key} is nested deeper than any model's. Use the model's own tokenizer files.`,
      );
  const { model, ...rest } = checked(tokenizerJson, json, '');
  if (rest.pre_tokenizer && asksForOffsets(rest.pre_tokenizer, rest.normalizer ?? null))
    throw new UserError(
      'tokenizer.json cannot be used: a Metaspace pre-tokenizer with prepend_scheme "first" after a component that moves where the text begins is not known to give the token ids that Python gives. Use another model.',
    );
  const kind = kindOf(model);
  switch (kind) {
    case 'BPE':
      return { ...rest, model: { kind, ...checked(bpe, model, 'model') } };
    case 'Unigram':
      return { ...rest, model: { kind, ...checked(unigram, model, 'model') } };
    case 'WordPiece':
      return { ...rest, model: { kind, ...checked(wordPiece, model, 'model') } };
    default:
      throw new UserError(
        `tokenizer.json: the vocabulary is of type ${JSON.stringify(kind)}; Finetab reads BPE, Unigram and WordPiece. Use another model.`,
      );
  }
}

/**
 * Whether a pre-tokenizer looks at offsets in the original text where these are not those of what it is
 * given.
 */
function asksForOffsets(component: PreTokenizer, normalizer: Normalizer | null, isFirst = true): boolean {
  if (component.type === 'Sequence')
    return component.pretokenizers.some((part, i) => asksForOffsets(part, normalizer, isFirst && i === 0));
  const asks = component.type === 'Metaspace' && component.prepend_scheme === 'first';
  return asks && (!isFirst || (normalizer !== null && movesBeginning(normalizer)));
}

function movesBeginning(component: Normalizer): boolean {
  switch (component.type) {
    case 'Sequence':
      return component.normalizers.some(movesBeginning);
    case 'Replace':
      return !('String' in component.pattern) || component.pattern.String.length !== component.content.length;
    default:
      return component.type !== 'NFC';
  }
}

/** Files of old versions leave the type out: it follows from their other keys. */
function kindOf(model: unknown): unknown {
  if (typeof model !== 'object' || model === null) return null;
  const { type, vocab } = model as { type?: unknown; vocab?: unknown };
  if (type !== undefined) return type;
  if (Array.isArray(vocab)) return 'Unigram';
  return 'merges' in model ? 'BPE' : 'WordPiece';
}

function checked<S extends v.GenericSchema>(schema: S, value: unknown, at: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = [at, v.getDotPath(issue)].filter(Boolean).join('.');
  const found = JSON.stringify(issue.input) ?? 'missing';
  throw new UserError(
    `tokenizer.json cannot be used: ${path || 'it'} is ${found.length > 80 ? `${found.slice(0, 80)}…` : found}, which is not known to give the token ids that Python gives. Use a model whose tokenizer Finetab reads.`,
  );
}
