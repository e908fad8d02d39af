/** How many dispatches real models take: they cost a step encoding time, and a token synchronisation. */
import { describe, expect, it } from 'vitest';
import { randomPlanOptions } from '../../scripts/lib/randomPlanOptions.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { makeGenerationPlans, makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const LIMITS = { maxBindingBytes: 2 ** 31 - 4, maxBufferBytes: 2 ** 31 - 4 };
const SETTINGS = kernelSettings({ workgroupBytes: 32768, maxBindingBytes: LIMITS.maxBindingBytes });

function shadersOf({ dispatches }: Plan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { shader } of dispatches) counts[shader] = (counts[shader] ?? 0) + 1;
  return counts;
}

const LAYERS = 16;

describe('dispatches of Llama-3.2-1B, r 16, all linear layers', () => {
  it.each([
    ['plain', 4096, 435],
    ['plain', 512, 443],
    ['matrix', 4096, 435],
    ['matrix', 512, 443],
  ] as const)('of a step without recomputation at level %s, %i tokens, are %i', (level, tokens, most) => {
    const settings = {
      ...SETTINGS,
      level,
      maxStorageBuffers: 16,
      maxSums: 128,
      workgroupBytes: 49152,
    } as const;
    const { train } = makeEnginePlans(
      randomPlanOptions('Llama-3.2-1B', tokens, false),
      settings,
      LIMITS,
    ).training!;
    expect(train.dispatches.length).toBeLessThanOrEqual(most);
    const counts = shadersOf(train);
    // Each group of projections of one input: forward, backward, and the gradients of its parameters.
    expect(counts).toMatchObject({
      lora_forward: 4 * LAYERS,
      lora_dx: 4 * LAYERS,
      lora_gradients: 4 * LAYERS,
      // The weights of a layer, forward and backward.
      dequantize_nf4_several: 2 * LAYERS,
      // Of the first layer; all others are fused with the adapter before them.
      rms_norm_registers: 1,
    });
    for (const shader of ['add', 'rope', 'gated', 'gated_dx', 'rms_norm_dx', 'attention_delta'])
      expect(counts[shader]).toBeUndefined();
  });

  it('of a step are few with the buffers that every adapter has, too', () => {
    const settings = { ...SETTINGS, maxStorageBuffers: 8 };
    const { train } = makeEnginePlans(
      randomPlanOptions('Llama-3.2-1B', 4096, false),
      settings,
      LIMITS,
    ).training!;
    expect(train.dispatches.length).toBeLessThanOrEqual(570);
  });

  /** @param maxStorageBuffers where fewer than ten may be bound, attention begins no product of LoRA */
  const shadersOfToken = (slots: number, maxStorageBuffers: number) =>
    shadersOf(
      makeGenerationPlans(
        randomPlanOptions('Llama-3.2-1B', 512, true),
        { slots, maxLength: 512 },
        { ...SETTINGS, maxStorageBuffers },
        LIMITS,
      ).decode,
    );

  it.each([1, 8, 31])('of a token in %i sequences are seven for each layer and seven more', (slots) => {
    expect(shadersOfToken(slots, 10)).toEqual({
      embedding: 1,
      // Many rows do not each read a head in floats again.
      ...(slots > 8
        ? { matmul_skinny: 4 * LAYERS, matmul_tiled_vec4: 1 }
        : { matmul_skinny: 4 * LAYERS + 1 }),
      // A norm is computed by the first product of LoRA that reads it. Where attention or a gated product is
      // what LoRA reads, that kernel begins it.
      lora_down_normed: 2 * LAYERS,
      // It turns queries and keys and writes the cache, too.
      attention_decode: LAYERS,
      rms_norm_registers: 1,
      sample_argmax: 1,
      sample_top_p: 2,
      sample: 1,
    });
    // Adding LoRA to queries, keys and values takes ten, too.
    expect(shadersOfToken(slots, 9)).toMatchObject({ lora_down_skinny: 2 * LAYERS });
  });
});
