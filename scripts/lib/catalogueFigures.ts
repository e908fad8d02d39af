/** The figures of the page's catalogue, from each model's config: sizes of weights, memory of runs. */
import { parseRecipe } from '../../src/training/recipe.ts';
import type { CatalogueModel } from '../../src/page/model/catalogue.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { memoryReport } from '../../src/engine/memoryReport.ts';
import { tensorPartBytes, type TensorInfo } from '../../src/formats/tensors.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';

/** What WebGPU promises everywhere. */
const LIMITS = { maxBindingBytes: 128 * 2 ** 20, maxBufferBytes: 256 * 2 ** 20 };
const SETTINGS: KernelSettings = {
  target: 'gpu',
  rowWorkgroup: 128,
  maxSums: 64,
  level: 'plain',
  workgroupBytes: 16384,
  maxWorkgroups: 65535,
  maxStorageBuffers: 8,
  maxBindingBytes: LIMITS.maxBindingBytes,
};
/** The recipe's defaults. */
const LORA = parseRecipe({}).lora;

type Figures = Pick<CatalogueModel, 'parameters' | 'downloadBytes' | 'storedBytes' | 'memoryBytes'>;

/**
 * Stored as NF4 with 16-bit tables; memory is the least that a run takes, every layer recomputed, r 16 on all
 * linear layers, one micro-batch of T tokens at a time.
 */
export function catalogueFigures(config: Record<string, unknown>): Figures {
  const model = modelOf(config);
  const infos = model.tensors.map(({ name, shape, quantise }): TensorInfo => ({
    name,
    shape,
    kind: quantise ? 'nf4' : 'bf16',
  }));
  const parameters = infos.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const stored = infos.flatMap((info) => Object.values(tensorPartBytes(info)));
  const weights = new Map(infos.map((info) => [info.name, info]));
  const memory = (tokensPerMicroBatch: number) => {
    const options = { model, weights, lora: LORA, tokensPerMicroBatch };
    const gradientCheckpointing = Array<'full'>(model.config.num_hidden_layers).fill('full');
    return memoryReport(makeEnginePlans({ ...options, gradientCheckpointing }, SETTINGS, LIMITS)).total;
  };
  return {
    parameters,
    downloadBytes: 2 * parameters,
    storedBytes: stored.reduce((a, b) => a + b, 0),
    memoryBytes: { 512: memory(512), 1024: memory(1024) },
  };
}
