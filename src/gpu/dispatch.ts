/** What an op asks of the GPU: shaders by name, constants, buffers and a grid. Plain data, made at plan time. */
import type { TensorPart } from '../formats/tensors.ts';

/** A value of the graph (by id), one part of a weight or of several, scratch of the node, or one of the fixed tables. */
export type BufferReference =
  | {
      type: 'value';
      id: number;
      /** A slice of it; the offset is a multiple of 256. */ offsetBytes?: number;
      sizeBytes?: number;
    }
  | {
      type: 'weight';
      id: number;
      part: TensorPart;
      /** Which of its slices (ops/weightSlices.ts). */ slice: number;
    }
  /** A part of all the weights of a group (ops/weightGroups.ts), first to last. */
  | { type: 'weights'; ids: readonly number[]; part: TensorPart; bytes: number }
  | { type: 'scratch'; index: number; bytes: number }
  | { type: 'quantizationTables' };

export interface Dispatch {
  /** File in shaders/ without .wgsl. */
  shader: string;
  /** Declared as `const NAME` ahead of the shader's text: integers as u32, `f:`-free numbers given as { f32 } as f32; strings choose includes. */
  constants: Readonly<Record<string, ShaderConstant>>;
  /** Keyed by the name of the WGSL variable; one for each storage buffer that the shader declares. */
  bindings: Readonly<Record<string, BufferReference>>;
  workgroups: readonly [number, number, number];
  /** On the first dispatch of work that can be done in several ways: what the autotuner measures. */
  tuningProblem?: TuningProblem;
}

/** One way to do a piece of work: a variant of its kernel. */
export interface KernelConfig {
  /** Unique among the ways of a tuningProblem; what `KernelSettings.choices` holds. */
  name: string;
  /** What it has in common with ways of other shapes. */
  variant: string;
  /** The least level that has it. */
  level: KernelLevel;
  /** Most that its result may differ from the plain rule's, of the largest value. */
  bound: number;
}

/** TuningTask that can be dispatched in several ways. The settings' level says which arithmetic the ways may use. */
export interface TuningProblem {
  /** What decides how fast each way is: shape, layout, kind of weight. */
  key: string;
  /** Multiplications it takes, about: what costs most is measured first. */
  operations: number;
  /** What it leaves behind; everything else that it writes is scratch. */
  outputs: BufferReference[];
  /** The ways there are; the first is the rule's, which runs where nothing was measured. */
  configs(settings: KernelSettings): KernelConfig[];
  /** Configs like this one but for one number, to be tried once it is the fastest. */
  near(config: KernelConfig, settings: KernelSettings): KernelConfig[];
  dispatches(config: KernelConfig, settings: KernelSettings): Dispatch[];
}

/** number: u32 · boolean: bool · { f32 }: f32 · string: substituted into #include lines. */
export type ShaderConstant = number | boolean | string | { f32: number };

/**
 * What arithmetic kernels may use. plain: float32, no optional feature · f16: operands of products rounded to float16 (`shader-f16`) ·
 * matrix: the same on the adapter's matrix units (subgroup matrices). Sums, softmax, norms and the residual stream are float32 everywhere.
 */
export type KernelLevel = 'plain' | 'f16' | 'matrix';

/** From the least to the most; a level has the kernels of those before it. */
export const LEVELS: readonly KernelLevel[] = ['plain', 'f16', 'matrix'];

/** How kernels are shaped for this adapter. */
export interface KernelSettings {
  /**
   * What the adapter is. 'gpu': kernels stage tiles in workgroup memory. 'cpu' (a software adapter): kernels keep to
   * registers and have no barriers, because a barrier costs more there than it saves.
   */
  target: 'gpu' | 'cpu';
  /** Invocations that share the reduction of one row; 1 where the target is a CPU. */
  rowWorkgroup: number;
  level: KernelLevel;
  /** Names of the ways measured fastest at this level, by a tuningProblem's key; what is not in it, or does not fit, follows the rule. */
  choices?: ReadonlyMap<string, string>;
  /** Bytes of workgroup memory that a kernel may use. */
  workgroupBytes: number;
  /** Largest workgroups a dimension. */
  maxWorkgroups: number;
  /** Storage buffers that a kernel may bind. */
  maxStorageBuffers: number;
  /** A weight larger than this is split by rows, a sweep over the adapter by elements: the largest binding. */
  maxBindingBytes: number;
}

export function value(v: { id: number }): BufferReference {
  return { type: 'value', id: v.id };
}

/** Rows [first, first + count) of a value of `width` 4-byte elements a row. */
export function rowSlice(v: { id: number }, first: number, count: number, width: number): BufferReference {
  return { type: 'value', id: v.id, offsetBytes: first * width * 4, sizeBytes: count * width * 4 };
}

/** A grid of at least `count` invocations in workgroups of `size`, folded into two dimensions where one is too small. */
export function flatGrid(count: number, size: number, settings: KernelSettings): [number, number, number] {
  const groups = Math.ceil(count / size);
  if (groups <= settings.maxWorkgroups) return [groups, 1, 1];
  const y = Math.ceil(groups / settings.maxWorkgroups);
  return [Math.ceil(groups / y), y, 1];
}
