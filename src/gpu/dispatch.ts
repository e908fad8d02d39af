/**
 * What an op asks of the GPU: shaders by name, constants, buffers and a grid; and the settings that its
 * kernels are shaped by. Plain data, made at plan time.
 */
import type { TensorPart } from '../formats/tensors.ts';

/** Where a kernel's buffer lies. Ids are those of the graph's values. */
export type BufferReference =
  /** A value, or a slice of it whose offset is a multiple of 256. */
  | { type: 'value'; id: number; offsetBytes?: number; sizeBytes?: number }
  /** A part of one slice of a weight (ops/weights/weightSlices.ts). */
  | { type: 'weight'; id: number; part: TensorPart; slice: number }
  /** A part of contiguous weights, from the first to the last (ops/weights/weightGroups.ts). */
  | { type: 'weights'; ids: readonly number[]; part: TensorPart; bytes: number }
  /**
   * Memory that a node needs only while its kernels run, or a slice of it whose offset is a multiple of 256;
   * equal indices within a node are the same memory, of `bytes` bytes.
   */
  | { type: 'scratch'; index: number; bytes: number; offsetBytes?: number; sizeBytes?: number }
  /** The tables of NF4 and of its nested scales. */
  | { type: 'quantizationTables' };

export interface Dispatch {
  /** A file of shaders/ without folder and .wgsl. */
  shader: string;
  /**
   * Declared as `const NAME` ahead of the shader's text; the preprocessor's conditions and repetitions read
   * them too.
   */
  constants: Readonly<Record<string, ShaderConstant>>;
  /** Keyed by the name of the WGSL variable; one for each storage buffer that the shader declares. */
  bindings: Readonly<Record<string, BufferReference>>;
  workgroups: readonly [number, number, number];
  /**
   * On the first dispatch of a product that has several configs: what `npm run bench -- --only variants`
   * measures.
   */
  tuningProblem?: TuningProblem;
}

/** number: u32 · boolean: bool · { f32 }: f32 · string: for the preprocessor alone. */
export type ShaderConstant = number | boolean | string | { f32: number };

/** A variant of a kernel with its parameters: one of several that solve a tuning problem. */
export interface KernelConfig {
  /** Unique among the configs of a tuning problem; what `KernelSettings.choices` holds. */
  name: string;
  /** The variant, which configs of other shapes share. */
  variant: string;
  /** The lowest level that has it. */
  level: KernelLevel;
  /**
   * How much its result may differ from that of the plain heuristic's config, relative to the largest value.
   */
  bound: number;
}

/** Something that several configs can compute. The settings' level decides which arithmetic they may use. */
export interface TuningProblem {
  /** What decides how fast each config is: shape, layout, kind of weight. */
  key: string;
  /** Multiplications, roughly: the most expensive problems are measured first. */
  operations: number;
  /** What it writes that is read later; everything else that it writes is scratch. */
  outputs: BufferReference[];
  /** The heuristic's config, which runs where nothing was measured, then the others. */
  configs(settings: KernelSettings): KernelConfig[];
  /** The kernels of a config by its name; those of the heuristic's where it does not fit. */
  dispatches(config: KernelConfig, settings: KernelSettings): Dispatch[];
}

/**
 * What arithmetic kernels may use. plain: float32, no optional feature · f16: operands of products with
 * weights rounded to float16 (`shader-f16`) · matrix: the same on the adapter's matrix units (subgroup
 * matrices). Sums, softmax, norms and the residual stream are float32 at every level.
 */
export type KernelLevel = 'plain' | 'f16' | 'matrix';

/** From the lowest to the highest; each level has the kernels of those before it. */
export const LEVELS: readonly KernelLevel[] = ['plain', 'f16', 'matrix'];

/**
 * Most that a kernel's result may differ from the plain level's, over the largest value: by another order of
 * sums, by operands in float16, and by operands in float16 on matrix units.
 */
export const LEVEL_BOUNDS: Readonly<Record<KernelLevel, number>> = { plain: 2e-5, f16: 4e-3, matrix: 5e-3 };

/** How kernels are shaped for this adapter. */
export interface KernelSettings {
  /**
   * What the adapter is. 'gpu': kernels stage tiles in workgroup memory. 'cpu' (a software adapter): kernels
   * keep to registers and have no barriers, because a barrier costs more there than it saves.
   */
  target: 'gpu' | 'cpu';
  /** Invocations that share the reduction of one row; 1 where the target is a CPU. */
  rowWorkgroup: number;
  /**
   * Float32 sums of a product that an invocation may keep in registers: 128 where it has 255 registers, else
   * 64.
   */
  maxSums: 64 | 128;
  /** Rows up to which the kernels of few rows serve; a workgroup's, 8, where it says nothing. */
  fewRows?: number;
  level: KernelLevel;
  /** Of level matrix; fragments of 16 x 16 x 16 where it says nothing. */
  matrixUnits?: MatrixUnits;
  /**
   * For tests and benchmarks: names of configs to take instead of the heuristic's where they fit, by a tuning
   * problem's key.
   */
  choices?: ReadonlyMap<string, string>;
  /** Bytes of workgroup memory that a kernel may use. */
  workgroupBytes: number;
  /** Most workgroups along one dimension of a grid. */
  maxWorkgroups: number;
  /** Most bytes of logits at once, unless the fewest rows take more; 128 MiB where absent. */
  logitBytes?: number;
  /** Storage buffers that a kernel may bind. */
  maxStorageBuffers: number;
  /** The largest binding: a larger weight is split by rows, and the optimiser's sweep by elements. */
  maxBindingBytes: number;
}

/** The adapter's matrix units: the sides of a fragment of A [m, k] and B [k, n], and WGSL's name for them. */
export interface MatrixUnits {
  m: number;
  n: number;
  k: number;
  /** What A and B are rounded to; results are float32. */
  operands: 'f16' | 'f32';
  /** Invocations of a subgroup; `pinned`: there are other sizes, too, and a kernel asks for this one. */
  subgroup: number;
  pinned: boolean;
  extension: 'chromium' | 'draft';
}

/** What settings that name no matrix units have. */
export const USUAL_MATRIX_UNITS: MatrixUnits = {
  m: 16,
  n: 16,
  k: 16,
  operands: 'f16',
  subgroup: 32,
  pinned: false,
  extension: 'chromium',
};

/** The units that level matrix runs on with these settings. */
export function matrixUnitsOf({ matrixUnits = USUAL_MATRIX_UNITS }: KernelSettings): MatrixUnits {
  return matrixUnits;
}

export function value(v: { id: number }): BufferReference {
  return { type: 'value', id: v.id };
}

/** Rows [first, first + count) of a value whose rows have `width` elements of 4 bytes. */
export function rowSlice(v: { id: number }, first: number, count: number, width: number): BufferReference {
  return { type: 'value', id: v.id, offsetBytes: first * width * 4, sizeBytes: count * width * 4 };
}

/**
 * A grid of at least `count` invocations in workgroups of `size`, folded into two dimensions where one is too
 * small.
 */
export function flatGrid(count: number, size: number, settings: KernelSettings): [number, number, number] {
  const groups = Math.ceil(count / size);
  if (groups <= settings.maxWorkgroups) return [groups, 1, 1];
  const y = Math.ceil(groups / settings.maxWorkgroups);
  return [Math.ceil(groups / y), y, 1];
}

/** The dispatch, bound to `to` wherever it was bound to its node's scratch of that index. */
export function withScratchAt(dispatch: Dispatch, index: number, to: BufferReference): Dispatch {
  const bindings = Object.entries(dispatch.bindings).map(([name, reference]) => [
    name,
    reference.type === 'scratch' && reference.index === index ? to : reference,
  ]);
  return { ...dispatch, bindings: Object.fromEntries(bindings) as Dispatch['bindings'] };
}
