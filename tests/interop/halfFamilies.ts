/**
 * The families of shared/golden at a float16 level against PyTorch's float64: logits of the first document,
 * losses of all, the probe's loss, and the first steps of LoRA's curve. Prints one line of Markdown a folder:
 * the logits' worst error, of the largest; losses and curve in nats. Exits with 1 beyond the bounds.
 *
 *     node scripts/run.mjs tests/interop/halfFamilies.ts ../shared/golden [LEVEL [FAMILY…]]
 *
 * On an adapter with shader-f16. On lavapipe it takes long: the kernels of a GPU are large to compile.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import type { ReferenceDocument } from '../../scripts/lib/greedyAnswers.ts';
import { readArrays } from '../../scripts/lib/readArrays.ts';
import { packDocuments } from '../../src/data/packing.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import type { AdapterTensors } from '../../src/engine/engine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { learningRate } from '../../src/training/schedule.ts';

const FAMILIES = [
  ...['lfm2', 'lfm3', 'granite', 'olmo2', 'olmo3', 'exaone4', 'ernie4_5', 'hunyuan_v1_dense'],
  ...['phi4_mini', 'ministral3', 'nanochat', 'qwen3_5', 'gemma4'],
];
const STEPS = 6;
/** Of make_golden.py. */
const SCHEDULE = {
  ...{ lr_scheduler_type: 'cosine' as const, learning_rate: 1e-2, warmupSteps: 3, totalSteps: 20 },
};
/** Products of 11 bits; a loss of 6 nats is off by less than 1 %, as tests/gpu/levels has it. */
const BOUNDS = { logits: 2e-2, losses: 2e-2, curve: 3e-2 };

export async function main([root, level = 'f16', ...only]: string[]): Promise<number> {
  const context = await openNodeGpu();
  // A CPU adapter multiplies in float32 at every level: the kernels of a GPU are what is asked for.
  context.settings.target = 'gpu';
  console.log(`${context.adapterInfo.description}, levels ${context.levels.join(', ')}`);
  let code = 0;
  for (const name of only.length > 0 ? only : FAMILIES) {
    const figures = await replay(join(root, name), level as KernelLevel, context);
    const words = Object.entries(figures).map(([key, value]) => `${key} ${value.toExponential(1)}`);
    const isBeyond = (Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]).some(
      (key) => !(figures[key] <= BOUNDS[key]),
    );
    if (isBeyond) code = 1;
    console.log(`| ${name} | ${words.join(' | ')} |${isBeyond ? ' beyond its bound' : ''}`);
  }
  return code;
}

async function replay(
  folder: string,
  level: KernelLevel,
  context: Awaited<ReturnType<typeof openNodeGpu>>,
): Promise<Record<keyof typeof BOUNDS, number>> {
  const json = async <T>(name: string) => JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
  const documents = await json<ReferenceDocument[]>('batch.json');
  const golden = await json<{ base_loss: number[]; lora: { loss: number[] } }>('golden.json');
  const { r, lora_alpha } = await json<{ r: number; lora_alpha: number }>('adapter_init/adapter_config.json');
  const source = await openCheckpoint((await filesOf(folder)).filter(({ path }) => !path.includes('/')));
  const { tensors, config } = modelOf(source.config);
  const longest = Math.max(...documents.map(({ input_ids }) => input_ids.length));
  const tokens = Math.ceil(longest / 32) * 32;
  const pack = (indices: number[]) =>
    packDocuments(
      indices.map((i) => ({ inputIds: documents[i].input_ids, labels: documents[i].labels })),
      { tokens, padTokenId: 0, indices },
    );
  const engine = await WebGpuEngine.create(context, {
    weights: memoryWeightSource(withModelNames(source, tensors), tensors, 'none'),
    lora: {
      ...{ r, lora_alpha, lora_dropout: 0, target_modules: 'all-linear' as const },
      ...{ use_rslora: false, use_dora: false },
    },
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: true,
    seed: 0,
    logits: true,
    level,
  });
  try {
    const reference = (
      await readArrays(join(folder, 'golden.safetensors'), (name) => name === 'logits.0')
    ).get('logits.0')!.data;
    const made = (await engine.logits(pack([0])[0])).subarray(
      0,
      documents[0].input_ids.length * config.vocab_size,
    );
    let [error, size] = [0, 0];
    reference.forEach((value, i) => {
      error = Math.max(error, Math.abs(made[i] - value));
      size = Math.max(size, Math.abs(value));
    });
    let losses = 0;
    for (const i of documents.keys()) {
      const [batch] = pack([i]);
      const sum = (await engine.score(batch)).loss.reduce((a, b) => a + b, 0);
      losses = Math.max(losses, Math.abs(sum / batch.supervisedTokens - golden.base_loss[i]));
    }
    const start: AdapterTensors = new Map(
      await readArrays(join(folder, 'adapter_init', 'adapter_model.safetensors')),
    );
    await engine.loadAdapter(start);
    let curve = 0;
    for (let step = 0; step < STEPS; step++) {
      const { loss } = await engine.trainStep({
        microBatches: pack([(2 * step) % documents.length, (2 * step + 1) % documents.length]),
        step,
        learningRate: learningRate(step, SCHEDULE),
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      curve = Math.max(curve, Math.abs(loss - golden.lora.loss[step]));
    }
    return { logits: error / size, losses, curve };
  } finally {
    engine.dispose();
  }
}
