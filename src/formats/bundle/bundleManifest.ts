/**
 * What a `.finetab` bundle says of itself: the model as it is stored in a browser, the recipe, the data files
 * and the lesson, and the SHA-256 of every part.
 */
import * as v from 'valibot';
import { UserError } from '../../lib/errors.ts';
import { GGUF_BLOCKS } from '../../quant/ggufBlocks.ts';
import type { TensorKind } from '../tensors.ts';

export const BUNDLE_FORMAT = 'finetab bundle';
export const BUNDLE_VERSION = 1;
/** Of a part of weights; so much is held at once while a bundle is written or read. */
export const MOST_PART_BYTES = 2 ** 24;

export const PATHS = { manifest: 'manifest.json', recipe: 'recipe.json', lesson: 'lesson.md' } as const;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.string();
const sha256 = v.pipe(text, v.regex(/^[0-9a-f]{64}$/));
/** Inside the bundle: no step out of it, no root, no control character. */
const path = v.pipe(
  text,
  v.minLength(1),
  v.maxLength(512),
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  v.regex(/^(?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\\\u0000-\u001f]+$/),
);
const kinds = ['f32', 'f16', 'bf16', 'nf4', 'nf4_f32', ...GGUF_BLOCKS.keys()] as TensorKind[];

const Chunk = v.object({
  part: v.picklist(['data', 'packed', 'absmax_q', 'nested', 'absmax']),
  byteOffset: count,
  path,
});

const Tensor = v.object({
  name: text,
  shape: v.array(count),
  kind: v.picklist(kinds),
  byRows: v.optional(v.literal(true)),
  chunks: v.array(Chunk),
});

const Model = v.object({
  id: v.pipe(text, v.regex(/^[0-9a-f]{32}$/)),
  name: v.pipe(text, v.minLength(1), v.maxLength(200)),
  quantization: v.picklist(['nf4', 'none', 'gguf']),
  revision: v.optional(text),
  licence: v.optional(v.pipe(text, v.maxLength(80))),
  config: v.record(text, v.unknown()),
  /** Paths of tokenizer and template files by their names. */
  texts: v.record(text, path),
  files: v.array(v.object({ path: text, size: count, sha256 })),
  unverified: v.optional(v.array(text)),
  unusedTensors: v.array(text),
  tensors: v.array(Tensor),
});

const Part = v.object({ path, bytes: count, sha256 });

const Manifest = v.object({
  format: v.literal(BUNDLE_FORMAT),
  version: v.literal(BUNDLE_VERSION),
  title: v.pipe(text, v.maxLength(200)),
  model: Model,
  recipe: path,
  data: v.array(v.object({ name: v.pipe(text, v.minLength(1), v.maxLength(255)), path })),
  lesson: v.nullable(path),
  /** In the order in which they lie in the file. */
  parts: v.array(Part),
});

export type BundlePart = v.InferOutput<typeof Part>;
export type BundledModel = v.InferOutput<typeof Model>;
export type BundledTensor = v.InferOutput<typeof Tensor>;
export type BundleManifest = v.InferOutput<typeof Manifest>;

const AGAIN = 'Ask for the bundle again, or make it again.';

/** @throws UserError where it is of another form, or names a part that it does not list */
export function parseBundleManifest(json: string): BundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UserError(`manifest.json of this bundle is no JSON. ${AGAIN}`);
  }
  const parsed = v.safeParse(Manifest, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UserError(
      `manifest.json of this bundle is not as it should be at ${v.getDotPath(issue) ?? 'its top'}: ${issue.message}. ${AGAIN}`,
    );
  }
  checkPaths(parsed.output);
  return parsed.output;
}

function checkPaths({ model, recipe, data, lesson, parts }: BundleManifest): void {
  const known = new Map(parts.map((part) => [part.path, part]));
  if (known.size < parts.length)
    throw new UserError(`manifest.json of this bundle lists a part twice. ${AGAIN}`);
  const named = [
    recipe,
    ...(lesson === null ? [] : [lesson]),
    ...data.map((file) => file.path),
    ...Object.values(model.texts),
    ...model.tensors.flatMap(({ chunks }) => chunks.map((chunk) => chunk.path)),
  ];
  const missing = named.find((each) => !known.has(each));
  if (missing !== undefined)
    throw new UserError(`manifest.json of this bundle names ${missing}, but lists no such part. ${AGAIN}`);
  const large = model.tensors
    .flatMap(({ chunks }) => chunks.map((chunk) => known.get(chunk.path)!))
    .find(({ bytes }) => bytes > MOST_PART_BYTES);
  if (large)
    throw new UserError(
      `${large.path} in this bundle has ${large.bytes} bytes; a part of weights has at most ${MOST_PART_BYTES}. ${AGAIN}`,
    );
}
