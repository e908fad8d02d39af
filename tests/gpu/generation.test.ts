/**
 * Tokens by the kernels of GPUs, fused as plans fuse them, and by those of CPU adapters: the same ids, and
 * one by one as in a batch.
 */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { makeGenerationPlans } from '../../src/engine/enginePlans.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
/**
 * Widths that products of a few rows take, and one layer: on a CPU adapter each of these kernels takes
 * seconds to compile.
 */
const CONFIG = {
  ...TINY_CONFIG,
  hidden_size: 32,
  num_attention_heads: 4,
  intermediate_size: 64,
  num_hidden_layers: 1,
};
const PROMPTS = [3, 17, 1, 7, 9].map((length, i) =>
  [...uniform(length, i)].map((value) => Math.floor((value + 1) * 120)),
);
const GREEDY = { maxNewTokens: 8, stopTokenIds: [], doSample: false, temperature: 1, topP: 1, seed: 0 };
const SAMPLED = { ...GREEDY, doSample: true, temperature: 0.9, topP: 0.9, seed: 3 };

/** Ids of a batch, greedy and sampled, and of one prompt in an engine of its own where that is asked for. */
async function generated(
  settings: Partial<KernelSettings>,
  withAlone: boolean,
): Promise<{ ids: number[][][]; alone: number[][] | null; shaders: Set<string> }> {
  const context = await gpuWith(settings);
  const weights = memoryWeightSource(
    await openCheckpoint(tinyModelFiles({}, CONFIG)),
    modelOf(CONFIG).tensors,
    'nf4',
  );
  const options = {
    weights,
    lora: TINY_LORA,
    tokensPerMicroBatch: 32,
    gradientCheckpointing: false,
    seed: 7,
    training: false,
  };
  const planOptions = { ...options, model: modelOf(CONFIG), weights: weights.tensors };
  const { decode } = makeGenerationPlans(
    planOptions,
    { slots: PROMPTS.length, maxLength: 64 },
    context.settings,
    context.limits,
  );
  const engine = await WebGpuEngine.create(context, options);
  const adapter = [...(await engine.readAdapter())].map(
    ([name, { shape, data }], i) =>
      [name, { shape, data: uniform(data.length, i).map((value) => 0.3 * value) }] as const,
  );
  await engine.loadAdapter(new Map(adapter));
  const ids = [await engine.generate(PROMPTS, GREEDY), await engine.generate(PROMPTS, SAMPLED)];
  engine.dispose();
  let alone: number[][] | null = null;
  if (withAlone) {
    // An engine that has answered a batch keeps its slots.
    const single = await WebGpuEngine.create(context, options);
    await single.loadAdapter(new Map(adapter));
    alone = await single.generate(PROMPTS.slice(1, 2), GREEDY);
    single.dispose();
  }
  context.dispose();
  return { ids, alone, shaders: new Set(decode.dispatches.map(({ shader }) => shader)) };
}

describe.skipIf(!gpu)('generation', { timeout: 600_000 }, () => {
  it('gives the same ids by the kernels of GPUs and of CPU adapters', async () => {
    const tiled = await generated(GPU_KERNELS, true);
    expect([...tiled.shaders]).toEqual(
      expect.arrayContaining([
        'lora_down_normed',
        'matmul_skinny',
        'rms_norm_registers',
        'attention_decode',
        'sample_top_p',
      ]),
    );
    // Attention and the gated product begin the adapters that read them.
    expect(tiled.shaders).not.toContain('lora_down_skinny');
    const direct = await generated(CPU_KERNELS, false);
    expect(tiled.ids).toEqual(direct.ids);
    expect(tiled.alone).toEqual([tiled.ids[0][1]]);
  });
});
