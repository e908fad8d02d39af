/**
 * Where each LoRA matrix lies in the contiguous adapter buffer. All A matrices come first, then all B, then
 * DoRA's magnitudes, which share the learning rate of B in LoRA+ as in PEFT. The matrices of projections that
 * share an input are stacked, so that one kernel computes them all. An adapter that is larger than one buffer
 * continues in further buffers; no matrix is split between two.
 */
import { UserError } from '../lib/errors.ts';
import { elements } from '../graph/value.ts';
import { align } from '../plan/memoryPlan.ts';

/** One trained matrix or vector under PEFT's name. */
export interface AdapterTensor {
  name: string;
  shape: number[];
  /** First element in the adapter buffer. */
  offset: number;
}

/** One binding of the adapter buffer: a parameter of the graph. */
export interface AdapterParameter {
  name: string;
  shape: number[];
  /** First element in the adapter buffer, a multiple of 64. */
  offset: number;
}

export interface ProjectionGroup {
  /** Module names, as the checkpoint has them without '.weight'. */
  modules: string[];
  inFeatures: number;
  outFeatures: number[];
  /** r of all its modules. */
  rank: number;
  /** s of s B A: α/r, or α/√r with rank stabilisation. */
  scale: number;
}

export class AdapterLayout {
  readonly tensors: AdapterTensor[] = [];
  readonly parameters = new Map<string, AdapterParameter>();
  /** Number of elements over all buffers. The unused ones between parameters stay zero. */
  readonly elements: number;
  /** First element of the B matrices, which the magnitudes follow. */
  readonly bStart: number;

  constructor(
    readonly groups: readonly ProjectionGroup[],
    /** Elements of a buffer, a multiple of 64: no parameter lies in two. */
    readonly pieceElements = Infinity,
    /** Whether each module has DoRA's magnitudes. */
    readonly magnitudes = false,
  ) {
    let offset = 0;
    const place = (name: string, shape: number[]) => {
      const count = elements({ shape });
      if (count > pieceElements)
        throw new UserError(
          `The adapter's ${name} [${shape}] is larger than this GPU's largest buffer. Lower lora.r.`,
        );
      if ((offset % pieceElements) + count > pieceElements)
        offset = (Math.floor(offset / pieceElements) + 1) * pieceElements;
      this.parameters.set(name, { name, shape, offset });
      const at = offset;
      offset += align(count * 4) / 4;
      return at;
    };
    for (const { modules, inFeatures, rank } of groups) {
      const at = place(groupName(modules, 'A'), [modules.length * rank, inFeatures]);
      modules.forEach((module, g) =>
        this.tensors.push({
          name: peftName(module, 'A'),
          shape: [rank, inFeatures],
          offset: at + g * rank * inFeatures,
        }),
      );
    }
    this.bStart = offset;
    for (const { modules, outFeatures, rank } of groups) {
      let at = place(groupName(modules, 'B'), [outFeatures.reduce((sum, out) => sum + out, 0), rank]);
      modules.forEach((module, g) => {
        this.tensors.push({ name: peftName(module, 'B'), shape: [outFeatures[g], rank], offset: at });
        at += outFeatures[g] * rank;
      });
    }
    for (const { modules, outFeatures } of magnitudes ? groups : [])
      modules.forEach((module, g) => {
        const shape = [outFeatures[g]];
        const at = place(magnitudeName(module), shape);
        this.tensors.push({ name: peftMagnitudeName(module), shape, offset: at });
      });
    this.elements = offset;
  }

  /** Where each buffer begins and how long it is, in elements. */
  get pieces(): { first: number; elements: number }[] {
    const count = Math.ceil(this.elements / this.pieceElements) || 1;
    return Array.from({ length: count }, (_, i) => {
      const first = i === 0 ? 0 : i * this.pieceElements;
      return { first, elements: Math.min(this.elements - first, this.pieceElements) };
    });
  }

  find(name: string): AdapterParameter {
    const parameter = this.parameters.get(name);
    if (!parameter) throw new Error(`the adapter has no parameter ${name}`);
    return parameter;
  }
}

/** Name of the stacked A or B of projections that share an input. */
export function groupName(modules: readonly string[], matrix: 'A' | 'B'): string {
  return `${matrix}: ${modules.join(' ')}`;
}

/** Name of the parameter of a module's DoRA magnitudes. */
export function magnitudeName(module: string): string {
  return `magnitude: ${module}`;
}

/** Name of the state that holds a module's row norms |W + s B A|. */
export function normName(module: string): string {
  return `norm: ${module}`;
}

export function isNormName(state: string): boolean {
  return state.startsWith('norm: ');
}

export function peftMagnitudeName(module: string): string {
  return `base_model.model.${module}.lora_magnitude_vector`;
}

export function peftName(module: string, matrix: 'A' | 'B'): string {
  return `base_model.model.${module}.lora_${matrix}.weight`;
}
