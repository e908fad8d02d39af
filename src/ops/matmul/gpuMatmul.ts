/** How a product is cut into tiles on a GPU: by vec4 where its layout allows, on matrix units where the level does, and over slices of k. */
import {
  flatGrid,
  type BufferReference,
  type Dispatch,
  type KernelSettings,
  type TuningProblem,
  type KernelConfig,
} from '../../gpu/dispatch.ts';
import { BLOCK } from '../../quant/nf4.ts';
import {
  columnBindings,
  columnConstants,
  columnTiles,
  dequantizeConstants,
  groupConstants,
  inputBindings,
  operandBindings,
  outputBindings,
} from './groupedGemm.ts';
import { hasNf4, matmulConstants, weightKind, type MatmulProblem } from './matmulProblem.ts';
import { LANES, MATRIX_K, WIDE_K, type MatmulVariant } from './matmulVariants.ts';
import {
  selectedConfig,
  isTransposed,
  configName,
  matmulKey,
  neighbouringConfigs,
  candidateConfigs,
  workgroupBytes,
  type MatmulConfig,
} from './matmulHeuristic.ts';

/** @param scratchIndex index of the node's scratch that this product may use, and the one after it */
export function gpuMatmul(
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const [first, ...rest] = dispatchesBy(selectedConfig(product, settings), product, settings, scratchIndex);
  return [{ ...first, tuningProblem: tunableProduct(product, scratchIndex) }, ...rest];
}

function tunableProduct(product: MatmulProblem, scratchIndex: number): TuningProblem {
  const key = matmulKey(product);
  const toConfig = (config: MatmulConfig): KernelConfig => ({
    name: configName(config),
    variant: config.variant.name,
    level: config.variant.level,
    bound: config.variant.bound,
  });
  const chosen = ({ name }: KernelConfig, settings: KernelSettings) =>
    selectedConfig(product, { ...settings, choices: new Map([[key, name]]) });
  const { m, n, k } = product;
  return {
    key,
    operations: m * n * k,
    outputs: Object.values(outputBindings(product)),
    configs: (settings) => candidateConfigs(product, settings).map(toConfig),
    near: (config, settings) =>
      neighbouringConfigs(chosen(config, settings), product, settings).map(toConfig),
    dispatches: (config, settings) => dispatchesBy(chosen(config, settings), product, settings, scratchIndex),
  };
}

function dispatchesBy(
  config: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  switch (config.variant.shader) {
    case 'matmul_tiled_scalar':
      return anyLayoutProduct(config, product, settings, scratchIndex);
    case 'matmul_tiled_vec4':
      return wideProduct(config, product, settings, scratchIndex);
    case 'matmul_skinny':
      return [fewRowsProduct(config, product, settings)];
    case 'matmul_tiled_unrolled':
      return unrolledProduct(config, product, settings, scratchIndex);
    case 'matmul_subgroup_matrix':
      return matrixUnitProduct(config, product, settings, scratchIndex);
  }
}

function anyLayoutProduct(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { a, b } = product;
  const constants = {
    ...matmulConstants(product),
    A_ALONG_K: a.columnStride === 1,
    B_ALONG_K: b.rowStride === 1,
  };
  return sliced(product, settings, scratchIndex, variant, slices, 1, (split, kSlice, { target }) => ({
    shader: variant.shader,
    constants: { ...constants, SPLIT_K: split, K_PER_SPLIT: kSlice },
    bindings: { ...target, ...inputBindings(product), ...operandBindings(product, settings) },
  }));
}

function wideProduct(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { a, b } = product;
  const { tileN } = variant;
  const [aAlongK, bAlongK] = [a.columnStride === 1, b.rowStride === 1];
  return sliced(
    product,
    settings,
    scratchIndex,
    variant,
    slices,
    WIDE_K,
    (split, kSlice, { target, grouped }) => ({
      shader: variant.shader,
      constants: {
        ...matmulConstants(product),
        ...registerTileConstants(product, variant, split, kSlice, hasNf4(product)),
        A_ALONG_K: aAlongK,
        B_ALONG_K: bAlongK,
        C_VEC4: !bAlongK && writesByFour(product),
        C_GROUPED: grouped,
        ...groupConstants(product, tileN, settings),
      },
      bindings: { ...target, ...inputBindings(product), ...operandBindings(product, settings) },
    }),
  );
}

/** What matmul_tiled_vec4.wgsl and matmul_tiled_unrolled.wgsl have in common. @param decodes whether B comes to its tile as NF4: a word of eight codes at a time, not four elements */
function registerTileConstants(
  { k, b }: MatmulProblem,
  { level, tileM, tileN, perM, perN, threads }: MatmulVariant,
  split: number,
  kSlice: number,
  decodes: boolean,
) {
  const fours = decodes ? 2 : 1;
  return {
    SPLIT_K: split,
    K_PER_SPLIT: kSlice,
    K_ALIGNED: k % WIDE_K === 0,
    A_LOADS: Math.ceil((tileM * WIDE_K) / 4 / threads),
    B_LOADS: Math.ceil((tileN * WIDE_K) / (4 * fours) / threads),
    B_VECTORS: fours,
    B_NF4: decodes,
    B_SCALE_TERMS: b.rowStride === 1 && k % BLOCK === 0 ? BLOCK : WIDE_K,
    TILE_M: tileM,
    TILE_N: tileN,
    PER_M: perM,
    PER_N: perN,
    VECTORS_M: perM / 4,
    VECTORS_N: perN / 4,
    THREADS: threads,
    TILE_F16: level !== 'plain',
  };
}

/** Whether C is written by vec4. */
function writesByFour({ c }: MatmulProblem): boolean {
  return (c.offset ?? 0) % 4 === 0 && c.rowStride % 4 === 0;
}

/** Fours of each invocation's terms that lib/matmul/skinny_a.wgsl brings to workgroup memory at once: the more, the fewer waits. */
const KEPT_FOURS = [8, 4, 2];
/** Bytes of a row of them, one more for padding. */
const keptRowBytes = (fours: number) => LANES * (fours + 1) * 16;

function fewRowsProduct(
  { variant }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
): Dispatch {
  const { tileN, perN, threads } = variant;
  const spare = settings.workgroupBytes - workgroupBytes(variant, product);
  const kept = hasNf4(product)
    ? KEPT_FOURS.find((fours) => product.m * keptRowBytes(fours) <= spare)
    : undefined;
  return {
    shader: variant.shader,
    constants: {
      ...matmulConstants(product),
      SPLIT_K: 1,
      ROWS: product.m,
      TILE_N: tileN,
      PER_N: perN,
      THREADS: threads,
      B_NF4: hasNf4(product),
      A_STAGED: kept ?? 0,
      C_VEC4: false,
      C_GROUPED: product.group !== undefined,
      ADDS_LORA: false,
      ...groupConstants(product, tileN, settings),
    },
    bindings: {
      ...outputBindings(product),
      ...inputBindings(product),
      ...operandBindings(product, settings),
    },
    workgroups: [columnTiles(product, tileN), 1, 1],
  };
}

function unrolledProduct(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { tileN, decodes } = variant;
  const { dispatches, layout, bindings, written } = decodes
    ? asItLies(product, settings)
    : writtenOut(product, settings, scratchIndex + 1, 'f32');
  return [
    ...dispatches,
    ...sliced(
      product,
      settings,
      scratchIndex,
      variant,
      slices,
      WIDE_K,
      (split, kSlice, { target, grouped }) => ({
        shader: variant.shader,
        constants: {
          ...matmulConstants(product),
          ...layout,
          ...registerTileConstants(product, variant, split, kSlice, decodes),
          TILE_K: WIDE_K,
          C_VEC4: writesByFour(product),
          C_GROUPED: grouped,
          ...groupConstants(product, tileN, settings, written),
        },
        bindings: { ...target, ...inputBindings(product), ...bindings },
      }),
    ),
  ];
}

/** The operand B of a product, and what makes it. */
interface RightOperand {
  dispatches: Dispatch[];
  layout: Dispatch['constants'];
  bindings: Dispatch['bindings'];
  written: 'end to end' | 'turned' | null;
}

function asItLies(product: MatmulProblem, settings: KernelSettings): RightOperand {
  const { b } = product;
  return {
    dispatches: [],
    layout: { WEIGHT_KIND: weightKind(b.value), B_ALONG_K: b.rowStride === 1 },
    bindings: operandBindings(product, settings),
    written: null,
  };
}

/**
 * An NF4 operand is written out once, which costs less than decoding it in every tile, and so that it runs along n, which saves the product a turn; any
 * other stays as it is. A group's weights become one array.
 */
function writtenOut(
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
  tile: 'f32' | 'f16',
): RightOperand {
  const { n, k, b } = product;
  const asIs = asItLies(product, settings);
  if (!hasNf4(product)) return asIs;
  const { bindings, layout } = asIs;
  const plain: BufferReference = {
    type: 'scratch',
    index: scratchIndex,
    bytes: n * k * (tile === 'f16' ? 2 : 4),
  };
  const transposed = isTransposed(product);
  const dispatch: Dispatch = {
    shader: transposed ? 'dequantize_nf4_transposed' : 'dequantize_nf4_words',
    constants: {
      ...(transposed ? { N: n, K: k } : { COUNT: n * k }),
      WEIGHT_KIND: weightKind(b.value),
      TILE_F16: tile === 'f16',
      ...dequantizeConstants(product, settings, transposed),
    },
    bindings: { y: plain, ...bindings },
    workgroups: transposed ? [Math.ceil(n / 64), k / BLOCK, 1] : flatGrid((n * k) / 8, 64, settings),
  };
  return {
    dispatches: [dispatch],
    layout: { ...layout, WEIGHT_KIND: 'f32', ...(transposed && { B_ALONG_K: false, B_ROW: n, B_COLUMN: 1 }) },
    bindings: { weight_data: plain },
    written: transposed ? 'turned' : 'end to end',
  };
}

/** Where a dispatch writes: C or partial sums, or each member's own C. */
interface Results {
  target: Dispatch['bindings'];
  grouped: boolean;
}

/** A product over so many slices of k, each a multiple of `granule` terms; several write partial sums, which are added up in order. */
function sliced(
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
  { tileM, tileN }: MatmulVariant,
  slices: number,
  granule: number,
  dispatch: (split: number, kSlice: number, results: Results) => Omit<Dispatch, 'workgroups'>,
): Dispatch[] {
  const { m, n, k, group } = product;
  const [x, y] = [columnTiles(product, tileN), Math.ceil(m / tileM)];
  const kSlice = Math.ceil(k / slices / granule) * granule;
  const split = Math.ceil(k / kSlice);
  const target = outputBindings(product);
  if (split === 1)
    return [
      {
        ...dispatch(1, kSlice, { target, grouped: group?.along === 'columns' }),
        workgroups: [x, y, 1],
      },
    ];
  const scratch: BufferReference = { type: 'scratch', index: scratchIndex, bytes: split * m * n * 4 };
  return [
    { ...dispatch(split, kSlice, { target: { c: scratch }, grouped: false }), workgroups: [x, y, split] },
    sumOfSlices(product, split, scratch, settings),
  ];
}

/** Adds partial sums up, by vec4 where C has no gaps. */
function sumOfSlices(
  product: MatmulProblem,
  split: number,
  scratch: BufferReference,
  settings: KernelSettings,
): Dispatch {
  const { m, n, c, alpha = 1, accumulate = false, group } = product;
  const shared = { M: m, SPLIT_K: split, ALPHA: { f32: alpha }, ACCUMULATE: accumulate };
  const whole = group?.along === 'columns' || (!c.offset && c.rowStride === n && n % 4 === 0);
  const constants = whole
    ? { ...shared, ...columnConstants(product) }
    : { ...shared, N: n, C_OFFSET: c.offset ?? 0, C_ROW: c.rowStride };
  return {
    shader: whole ? 'split_k_reduce_vec4' : 'split_k_reduce',
    constants,
    bindings: { partial: scratch, ...(whole ? columnBindings(product) : outputBindings(product)) },
    workgroups: flatGrid(whole ? (m * n) / 4 : m * n, 64, settings),
  };
}

/** Operands in float16 on matrix units, NF4 written out in float16. */
function matrixUnitProduct(
  { variant, slices }: MatmulConfig,
  product: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const { alpha = 1, scaleA = 1 } = product;
  const { tileM, tileN, perM: subM, perN: subN, threads } = variant;
  const { dispatches, layout, bindings, written } = writtenOut(product, settings, scratchIndex + 1, 'f16');
  return [
    ...dispatches,
    ...sliced(
      { ...product, alpha: alpha / scaleA },
      settings,
      scratchIndex,
      variant,
      slices,
      MATRIX_K,
      (split, kSlice, { target, grouped }) => ({
        shader: variant.shader,
        constants: {
          ...matmulConstants(product),
          ...layout,
          SPLIT_K: split,
          K_PER_SPLIT: kSlice,
          TILE_M: tileM,
          TILE_N: tileN,
          TILE_K: MATRIX_K,
          SUB_M: subM,
          SUB_N: subN,
          FM: tileM / subM / 16,
          FN: tileN / subN / 16,
          FK: MATRIX_K / 16,
          THREADS: threads,
          A_LOADS: (tileM * MATRIX_K) / 4 / threads,
          B_LOADS: (tileN * MATRIX_K) / 4 / threads,
          A_SCALE: { f32: scaleA },
          B_F16: written !== null,
          C_VEC4: false,
          C_GROUPED: grouped,
          ...groupConstants(product, tileN, settings, written),
        },
        bindings: { ...target, ...inputBindings(product), ...bindings },
      }),
    ),
  ];
}
