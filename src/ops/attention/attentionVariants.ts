/**
 * What the attention kernels share: their settings and constants, and which variant of a kernel fits an
 * adapter.
 *
 * There are three variants of each kernel. `matrix` runs on the adapter's matrix units (subgroup matrices) at
 * level matrix. `tiled` stages blocks of scores in workgroup memory, in the style of FlashAttention
 * (arXiv:2205.14135). The last one (shaders/cpu) gives each invocation a query or a key of its own and needs
 * neither barriers nor workgroup memory.
 */
import { matrixUnitsOf, type Dispatch, type KernelSettings } from '../../gpu/dispatch.ts';

export interface AttentionSettings {
  heads: number;
  keyHeads: number;
  headDim: number;
  /** Multiplies q·k: 1/√headDim in most families. */
  scale: number;
  /** Keys that a query attends to, itself included; 0: all of its document. */
  window?: number;
  /** score = cap · tanh(score / cap); 0: none. */
  softcap?: number;
}

export type AttentionAttributes = Required<AttentionSettings>;

/** Fills in the defaults. @throws where the heads do not share the key heads evenly */
export function attentionAttributes(settings: AttentionSettings): AttentionAttributes {
  const { heads, keyHeads } = settings;
  if (heads % keyHeads !== 0)
    throw new Error(`attention: ${heads} heads do not share ${keyHeads} key heads evenly`);
  return { window: 0, softcap: 0, ...settings };
}

/** Constants that all attention kernels share. */
function sharedConstants({ heads, keyHeads, headDim, scale, window, softcap }: AttentionAttributes) {
  return {
    HEADS: heads,
    GROUP_SIZE: heads / keyHeads,
    D: headDim,
    SCALE: { f32: scale },
    WINDOW: window,
    SOFTCAP: { f32: softcap },
  };
}

/** Constants of the kernels that read a head by vectors of four or two elements, as its size allows. */
export function attentionConstants(attributes: AttentionAttributes) {
  return { ...sharedConstants(attributes), VECTOR_WIDTH: attributes.headDim % 4 === 0 ? 4 : 2 };
}

/** The three kernels: forward, the gradient of queries, and the gradients of keys and values. */
export type AttentionKernel = 'forward' | 'dq' | 'dkv';

export interface AttentionVariant {
  name: 'matrix' | 'tiled' | 'serial';
  /** Rows of queries (of keys in dkv) that a workgroup processes; 1 where an invocation processes one. */
  blockRows: number;
  constants: Dispatch['constants'];
}

/**
 * The heuristic: matrix units where the level has them and the shape fits, else tiles, else one invocation a
 * row.
 */
export function attentionVariant(
  kernel: AttentionKernel,
  tokens: number,
  attributes: AttentionAttributes,
  settings: KernelSettings,
): AttentionVariant {
  const { headDim } = attributes;
  const shared = { T: tokens, ...sharedConstants(attributes) };
  const { extension } = matrixUnitsOf(settings);
  if (fitsMatrixUnits(kernel, tokens, headDim, settings))
    return {
      name: 'matrix',
      blockRows: MATRIX_BLOCK_ROWS,
      constants: { ...shared, FD: headDim / 16, MATRIX_EXTENSION: extension },
    };
  const blockRows = tiledBlockRows(kernel, headDim, settings);
  if (blockRows > 0)
    return {
      name: 'tiled',
      blockRows,
      constants: { ...shared, ...tiledConstants(kernel, headDim, blockRows) },
    };
  return { name: 'serial', blockRows: 1, constants: { T: tokens, ...attentionConstants(attributes) } };
}

/** Rows of a block of the matrix kernels. */
const MATRIX_BLOCK_ROWS = 64;
/** Columns of a block of scores in the tiled kernels. */
const BLOCK_COLUMNS = 32;
/** The vec4 that a row of such a block takes in workgroup memory, padding included. */
const SCORE_VECTORS = 9;
/** Most rows of a block: more were slower where they were tried. */
const MAX_BLOCK_ROWS = 32;

/**
 * Bytes of workgroup memory that the tiled kernels take.
 * @param rows of a block @param head vec4 of a head's row, padding included
 */
const TILED_BYTES: Record<AttentionKernel, (rows: number, head: number) => number> = {
  forward: (rows, head) => 16 * ((rows + BLOCK_COLUMNS) * head + rows * SCORE_VECTORS) + 8 * rows,
  dq: (rows, head) => 16 * (2 * (rows + BLOCK_COLUMNS) * head + rows * SCORE_VECTORS) + 12 * rows,
  dkv: (rows, head) =>
    16 * (2 * (rows + BLOCK_COLUMNS) * head + 2 * rows * SCORE_VECTORS) + 4 * rows + 8 * BLOCK_COLUMNS,
};

/**
 * The most rows, up to MAX_BLOCK_ROWS, whose tiles fit the adapter's workgroup memory; 0 where tiles do not
 * serve.
 */
function tiledBlockRows(kernel: AttentionKernel, headDim: number, settings: KernelSettings): number {
  if (settings.target === 'cpu' || headDim % 4 !== 0) return 0;
  for (let rows = MAX_BLOCK_ROWS; rows >= 8; rows /= 2)
    if (TILED_BYTES[kernel](rows, (headDim / 4) | 1) <= settings.workgroupBytes) return rows;
  return 0;
}

/**
 * Most vec4 of a tile, for each kernel, that an invocation reads one block ahead: more take registers that
 * the sums need.
 */
const MOST_PREFETCHED: Record<AttentionKernel, number> = { forward: 8, dq: 4, dkv: 4 };

function tiledConstants(kernel: AttentionKernel, headDim: number, blockRows: number) {
  const across = Math.min(blockRows, 16);
  const vectors = headDim / 4;
  const threads = 8 * across;
  const loads = Math.ceil((BLOCK_COLUMNS * vectors) / threads);
  return {
    BLOCK: blockRows,
    ACROSS: across,
    THREADS: threads,
    ROWS_PER_THREAD: blockRows / across,
    HEAD_VECTORS: vectors,
    VECTORS_PER_THREAD: Math.ceil(vectors / 8),
    LOADS: loads,
    PREFETCHES: loads <= MOST_PREFETCHED[kernel],
  };
}

/**
 * Tiles that the matrix kernels keep in workgroup memory: of scores in float32, and of their products in
 * float16.
 */
const MATRIX_TILES: Record<AttentionKernel, { f32: number; f16: number }> = {
  forward: { f32: 1, f16: 1 },
  dq: { f32: 2, f16: 1 },
  dkv: { f32: 2, f16: 2 },
};

/**
 * The largest heads: the forward kernel has two sweeps and spills registers on larger ones, where the tiled
 * kernel was faster.
 */
const MOST_ON_MATRIX_UNITS: Record<AttentionKernel, number> = { forward: 64, dq: 128, dkv: 128 };

/**
 * Whether the level has matrix units, the shape is made of their fragments and its tiles fit the workgroup
 * memory.
 */
function fitsMatrixUnits(
  kernel: AttentionKernel,
  tokens: number,
  headDim: number,
  settings: KernelSettings,
): boolean {
  if (settings.level !== 'matrix' || tokens % 16 !== 0 || headDim % 16 !== 0) return false;
  const { m, n, k, operands, subgroup, pinned } = matrixUnitsOf(settings);
  // These kernels are written for one kind of matrix alone.
  if (m !== 16 || n !== 16 || k !== 16 || operands !== 'f16' || subgroup !== 32 || pinned) return false;
  if (headDim > MOST_ON_MATRIX_UNITS[kernel]) return false;
  const { f32, f16 } = MATRIX_TILES[kernel];
  const rowBytes = (headDim + 8) * 2 + f32 * 36 * 4 + f16 * 40 * 2 + 12;
  return MATRIX_BLOCK_ROWS * rowBytes <= settings.workgroupBytes;
}
