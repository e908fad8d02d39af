/**
 * For a few rows, as in generation: A x of a projection without a kernel of its own. The kernel that computes
 * x writes partial sums of it as well, each over the part of x that one of its workgroups has, and every
 * workgroup of the projection adds them up. Each function returns null where that does not fit.
 */
import { value, type BufferReference, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';
import type { Value } from '../../graph/value.ts';
import { SKINNY_LANES } from '../matmul/matmulVariants.ts';
import { rowGroups, skinnyWorkgroupBytes } from '../matmul/skinnyMatmul.ts';
import { onlySkinny } from './fusedRowKernels.ts';

/** Invocations of a workgroup that every adapter has. */
const MAX_THREADS = 256;
/** Past so many parts workgroups are made larger, since each of the projection's reads all parts. */
const MANY_PARTS = 512;
/** Most bytes of the parts of one workgroup's rows, for the same reason. */
const MAX_PART_BYTES = 2 ** 18;
/** Scores of attention_decode.wgsl in workgroup memory, which then holds the terms of its partial sums. */
const SCORES = 1024;
/** Past those that the projections' own kernels may use. */
const SCRATCH_INDEX = 3;

/** Rows of x [T, width], then partial sums [parts, T, rank], in one buffer. */
export interface DownPartials {
  buffer: BufferReference;
  parts: number;
}

interface Writer {
  dispatch: Dispatch;
  partials: DownPartials;
}

function partialsOf(x: Value, rank: number, parts: number): DownPartials | null {
  const [tokens, width] = x.shape;
  const rowBytes = parts * rank * 4;
  if (rowGroups(tokens).constants.ROWS * rowBytes > MAX_PART_BYTES) return null;
  const bytes = tokens * (width * 4 + rowBytes);
  return { buffer: { type: 'scratch', index: SCRATCH_INDEX, bytes }, parts };
}

/**
 * Has a gated product (gateRows) write partial sums. @param x what it computes, [T, width], which then goes
 * to the partials' buffer @param a [r, width]
 */
export function gatedPartials(gated: Dispatch, x: Value, a: Value, settings: KernelSettings): Writer | null {
  const { workgroups } = gated;
  const wide = workgroups[0] > MANY_PARTS ? widened(gated, settings) : gated;
  const partials = partialsOf(x, a.shape[0], wide.workgroups[0]);
  const constants: Dispatch['constants'] = { ...wide.constants, NEXT_RANK: a.shape[0] };
  const { TILE_N, ROWS, NEXT_RANK, THREADS } = constants as Record<string, number>;
  const terms = (NEXT_RANK * TILE_N) / 8;
  if (
    !partials ||
    (TILE_N / 2) % 4 !== 0 ||
    x.shape[1] % 4 !== 0 ||
    terms > THREADS ||
    ROWS * terms > TILE_N * SKINNY_LANES ||
    skinnyWorkgroupBytes(constants) > settings.workgroupBytes
  )
    return null;
  return withPartials(wide, constants, 'c', a, partials, settings);
}

/** Has attention over the cache write partial sums, one a head. @param x, a as above */
export function attentionPartials(
  attention: Dispatch,
  x: Value,
  a: Value,
  settings: KernelSettings,
): Writer | null {
  const { HEADS, D, VECTOR_WIDTH, WORKGROUP } = attention.constants as Record<string, number>;
  const [rank, width] = a.shape;
  const terms = (rank * D) / VECTOR_WIDTH;
  const partials = partialsOf(x, rank, HEADS);
  if (!partials || width !== HEADS * D || width % 4 !== 0 || terms > SCORES) return null;
  const constants = {
    ...attention.constants,
    NEXT_RANK: rank,
    TERM_ROUNDS: Math.ceil(terms / WORKGROUP),
  };
  return withPartials(attention, constants, 'o', a, partials, settings);
}

/** @param output the name of x among the dispatch's bindings */
function withPartials(
  dispatch: Dispatch,
  constants: Dispatch['constants'],
  output: string,
  a: Value,
  partials: DownPartials,
  { maxStorageBuffers }: KernelSettings,
): Writer | null {
  const bindings = { ...dispatch.bindings, [output]: partials.buffer, next_a: value(a) };
  if (Object.keys(bindings).length > maxStorageBuffers) return null;
  return { dispatch: { ...dispatch, constants, bindings }, partials };
}

/**
 * Has a projection add up the partial sums and add B times them. @param products W x alone
 * @param x [T, width] @param b [out, r] @param adapterScale [T]
 */
export function addPartials(
  products: readonly Dispatch[],
  { buffer, parts }: DownPartials,
  x: Value,
  { b, scale, adapterScale }: { b: Value; scale: number; adapterScale?: Value },
  settings: KernelSettings,
): Dispatch | null {
  const rank = b.shape[1];
  const product = onlySkinny(products, rank);
  if (!product) return null;
  const wide = parts > MANY_PARTS / 2 ? widened(product, settings) : product;
  const constants: Dispatch['constants'] = {
    ...wide.constants,
    ADDS_LORA: true,
    RANK_QUADS: rank / 4,
    LORA_SCALE: { f32: scale },
    PARTS: parts,
    FIRST_PART: (x.shape[0] * x.shape[1]) / 4,
    HAS_ADAPTER_SCALE: adapterScale !== undefined,
  };
  const bindings = {
    ...wide.bindings,
    a: buffer,
    lora_b: value(b),
    ...(adapterScale && { adapter_scale: value(adapterScale) }),
  };
  const { ROWS, THREADS } = constants as Record<string, number>;
  if (
    (ROWS * rank) / 4 > THREADS ||
    skinnyWorkgroupBytes(constants) > settings.workgroupBytes ||
    Object.keys(bindings).length > settings.maxStorageBuffers
  )
    return null;
  return { ...wide, constants, bindings };
}

/** The same product of one or of two gated problems by fewer workgroups of twice as many invocations. */
function widened(product: Dispatch, { workgroupBytes }: KernelSettings): Dispatch {
  const { THREADS, TILE_N } = product.constants as Record<string, number>;
  const constants = { ...product.constants, THREADS: 2 * THREADS, TILE_N: 2 * TILE_N };
  if (2 * THREADS > MAX_THREADS || skinnyWorkgroupBytes(constants) > workgroupBytes) return product;
  const [x, y] = product.workgroups;
  return { ...product, constants, workgroups: [Math.ceil(x / 2), y, 1] };
}
