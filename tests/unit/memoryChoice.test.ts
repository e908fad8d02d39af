/**
 * The memory of real models, from their shapes alone: what is planned is what is allocated
 * (tests/gpu/engine.test.ts), so nothing needs a GPU here.
 */
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../../src/verify/randomModel.ts';
import type { TensorInfo } from '../../src/formats/tensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { chooseMemory, DEFAULT_MEMORY_BYTES, type ChoiceOptions } from '../../src/engine/memoryChoice.ts';
import type { ActivationDtype } from '../../src/engine/engine.ts';
import type { HeadDtype } from '../../src/engine/headDtype.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { memoryReport } from '../../src/engine/memoryReport.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const GIB = 2 ** 30;
const SETTINGS = kernelSettings({ workgroupBytes: 32768 });
/** What WebGPU promises everywhere. */
const LIMITS = { maxBindingBytes: 128 * 2 ** 20, maxBufferBytes: 256 * 2 ** 20 };

const SMALL = {
  ...SHAPES['Llama-3.2-1B'],
  hidden_size: 256,
  intermediate_size: 1024,
  num_hidden_layers: 5,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 512,
};

function options(
  config: Record<string, unknown>,
  tokens: number,
  aim: ChoiceOptions['aim'],
  gradientCheckpointing = true,
): ChoiceOptions {
  const model = modelOf(config);
  const weights = new Map(
    model.tensors.map(({ name, shape, quantise }): [string, TensorInfo] => [
      name,
      { name, shape, kind: quantise ? 'nf4' : 'bf16' },
    ]),
  );
  const lora = {
    r: 16,
    lora_alpha: 32,
    lora_dropout: 0,
    target_modules: 'all-linear' as const,
    use_rslora: false,
    use_dora: false,
  };
  return { model, weights, lora, tokensPerMicroBatch: tokens, gradientCheckpointing, aim };
}

const total = (made: ReturnType<typeof chooseMemory>) => memoryReport(made.plans).total;

describe('memory of NF4, r 16, all linear layers, 512 tokens, within the limits that WebGPU promises', () => {
  it.each([
    ['Llama-3.2-1B', SHAPES['Llama-3.2-1B'], 2.0, 1.44],
    ['Qwen2.5-0.5B', SHAPES['Qwen2.5-0.5B'], 1.2, 0.78],
  ])('%s', (_, config, most, recomputed) => {
    const made = chooseMemory(
      options(config, 512, { limitBytes: most * GIB, leastTokens: 512 }),
      SETTINGS,
      LIMITS,
    );
    expect(total(made)).toBeLessThanOrEqual(most * GIB);
    // The aim is used, not undercut by recomputing all.
    expect(total(made)).toBeGreaterThan(0.9 * most * GIB);
    expect(made.choice.tokensPerMicroBatch).toBe(512);
    const report = memoryReport(
      makeEnginePlans(options(config, 512, { limitBytes: null, leastTokens: 512 }), SETTINGS, LIMITS),
    );
    expect(report.total).toBeLessThan(recomputed * GIB);
    expect(report.kvCache).toBe(0);
    // gate and up written out are the largest value, 128 MiB in Llama-3.2-1B; nothing comes near the 250 MiB
    // that its logits would take.
    expect(report.activations).toBeLessThan(330 * 2 ** 20);
  });
});

describe('what is recomputed', () => {
  const aimed = (limitBytes: number | null, tokens = 512, leastTokens = tokens, checkpointing = true) =>
    chooseMemory(options(SMALL, tokens, { limitBytes, leastTokens }, checkpointing), SETTINGS, LIMITS);
  const bytes = (checkpointing: boolean) =>
    memoryReport(
      makeEnginePlans(
        {
          ...options(SMALL, 512, { limitBytes: null, leastTokens: 512 }),
          gradientCheckpointing: checkpointing,
        },
        SETTINGS,
        LIMITS,
      ),
    ).total;
  const [none, full] = [bytes(false), bytes(true)];

  it('nothing where all fits, as by default', () => {
    expect(aimed(none).choice).toMatchObject({ none: 5, attention: 0, full: 0, tokensPerMicroBatch: 512 });
    expect(aimed(null).choice).toMatchObject({
      none: 5,
      limitBytes: DEFAULT_MEMORY_BYTES,
      reason: 'all fits in 2.00 GiB without recomputing',
    });
  });

  it('more the less memory there is: what is cheap, then attention, then whole layers, always within the limit', () => {
    let before = none + 1;
    const seen = new Set<string>();
    for (let i = 0; i <= 6; i++) {
      const limit = full + ((none - 1 - full) * (6 - i)) / 6;
      const made = aimed(limit);
      expect(total(made)).toBeLessThanOrEqual(limit);
      expect(total(made)).toBeLessThanOrEqual(before);
      before = total(made);
      const { cheap, attention, packed } = made.choice;
      expect(made.choice.none + cheap + attention + made.choice.full).toBe(5);
      expect(packed).toBe(false);
      expect(made.choice.reason).toMatch(/^as little is recomputed as lets the run fit in \d+ MiB$/);
      seen.add(JSON.stringify(made.choice));
    }
    expect(aimed(none - 1).choice.cheap).toBeGreaterThan(0);
    expect(aimed(full).choice.full).toBeGreaterThan(0);
    expect(seen.size).toBeGreaterThan(4);
  });

  it('less where activations are packed, which happens by itself only where arithmetic is rounded as well', () => {
    const tight = { limitBytes: full + 0.15 * (none - full), leastTokens: 512 };
    const of = (activationDtype: ActivationDtype, level: 'plain' | 'f16') =>
      chooseMemory({ ...options(SMALL, 512, tight), activationDtype }, { ...SETTINGS, level }, LIMITS).choice;
    const exact = of('float32', 'f16');
    expect(exact).toMatchObject({ packed: false });
    expect(of('auto', 'plain')).toMatchObject({ packed: false, full: exact.full });
    const packed = of('auto', 'f16');
    expect(packed.packed).toBe(true);
    expect(packed.full).toBeLessThan(exact.full);
    expect(of('e6m9', 'plain')).toMatchObject({ packed: true });
    // With memory enough nothing is rounded unasked.
    const wide = { limitBytes: none, leastTokens: 512 };
    const ample = chooseMemory(
      { ...options(SMALL, 512, wide), activationDtype: 'auto' },
      { ...SETTINGS, level: 'f16' },
      LIMITS,
    );
    expect(ample.choice).toMatchObject({ packed: false, none: 5 });
  });

  it('then fewer tokens, but never fewer than the longest row has', () => {
    const made = aimed(full - 1, 512, 96);
    expect(made.choice.tokensPerMicroBatch).toBe(256);
    expect(total(made)).toBeLessThan(full);
    expect(made.choice.reason).toMatch(/micro-batches have 256 tokens instead of 512/);
  });

  it('refuses a limit of the recipe that cannot be kept; without one says that it is more than aimed for', () => {
    expect(() => aimed(full - 1)).toThrow(
      /needs \d+ MiB of GPU memory at least, training\.gpu_memory_limit_gib allows \d+ MiB.*raise the limit, lower max_length/,
    );
    expect(() => aimed(none - 1, 512, 512, false)).toThrow(
      /Set training\.gradient_checkpointing to true, raise the limit/,
    );
    const large = chooseMemory(
      options({ ...SHAPES['Llama-3.2-1B'], num_hidden_layers: 40 }, 64, {
        limitBytes: null,
        leastTokens: 64,
      }),
      SETTINGS,
      LIMITS,
    );
    expect(total(large)).toBeGreaterThan(DEFAULT_MEMORY_BYTES);
    expect(large.choice.reason).toMatch(
      /even with every layer recomputed this is more than the 2\.00 GiB aimed for/,
    );
  });

  it('rounds an output head of its own only where the limit cannot be kept otherwise, and says so', () => {
    const untied = { ...SHAPES['Llama-3.2-1B'], num_hidden_layers: 1, tie_word_embeddings: false };
    const of = (limitBytes: number | null, headDtype: HeadDtype, config = untied) =>
      chooseMemory(
        { ...options(config, 512, { limitBytes, leastTokens: 512 }), headDtype },
        SETTINGS,
        LIMITS,
      );
    const least = memoryReport(
      makeEnginePlans(options(untied, 512, { limitBytes: null, leastTokens: 512 }), SETTINGS, LIMITS),
    ).total;
    expect(of(least, 'auto').choice).toMatchObject({ headInQ8_0: false, headMayRound: true });
    expect(of(null, 'auto').choice).toMatchObject({ headInQ8_0: false });
    const short = of(least - 1, 'auto');
    expect(total(short)).toBeLessThan(least);
    expect(short.choice).toMatchObject({ headInQ8_0: true, headMayRound: false });
    expect(short.choice.reason).toMatch(/; the output head has 8 bits \(Q8_0, each weight within 0\.45 % /);
    expect(short.options.weights.get('lm_head.weight')!.kind).toBe('Q8_0');
    expect(() => of(least - 1, 'stored')).toThrow(/at least, training\.gpu_memory_limit_gib allows/);
    // Where neither fits, the smaller of both is named; for a small head that is the one as stored.
    const needed = (limit: number, dtype: HeadDtype, config = untied) => {
      try {
        return total(of(limit, dtype, config)) / 2 ** 20;
      } catch (error) {
        const [, amount, unit] = /needs ([\d.]+) ([MG])iB/.exec((error as Error).message)!;
        return Number(amount) * (unit === 'G' ? 1024 : 1);
      }
    };
    expect(needed(1, 'auto')).toBe(needed(1, 'q8_0'));
    expect(needed(1, 'auto')).toBeLessThan(needed(1, 'stored'));
    const smallHead = { ...SMALL, tie_word_embeddings: false };
    expect(needed(1, 'auto', smallHead)).toBe(needed(1, 'stored', smallHead));
    expect(of(null, 'q8_0').choice.reason).toMatch(/because head_dtype is q8_0$/);
    // A head that is the embedding stays as it is.
    const tied = { ...untied, tie_word_embeddings: true };
    expect(() => of(1, 'auto', tied)).toThrow(/at least, training\.gpu_memory_limit_gib allows/);
    expect(() => of(null, 'q8_0', tied)).toThrow(/head_dtype is "q8_0", but .* it is the embedding as well/);
  });

  it('generates as many answers at once as fit once all else is chosen, few on a CPU adapter', () => {
    const made = (limitBytes: number | null, slots: number, settings = SETTINGS) =>
      chooseMemory(
        options(SMALL, 512, { limitBytes, leastTokens: 64, generation: { slots, maxLength: 200 } }),
        settings,
        LIMITS,
      );
    const slotsOf = ({ plans, options: chosen }: ReturnType<typeof made>) => {
      expect(chosen.generation).toEqual({ slots: plans.generation!.slots, maxLength: 256 });
      return plans.generation!.slots;
    };
    const few = total(made(null, 8));
    expect([4, 8, 20, 64, 1000].map((asked) => slotsOf(made(null, asked)))).toEqual([4, 8, 20, 64, 64]);
    expect(slotsOf(made(few, 64))).toBe(8);
    const half = total(made(null, 32));
    const fitting = made(half, 64);
    expect(slotsOf(fitting)).toBe(32);
    // What is recomputed does not depend on them.
    expect(fitting.choice).toMatchObject({ ...made(half, 8).choice });
    expect(total(fitting)).toBe(half);
    expect(slotsOf(made(null, 64, { ...SETTINGS, target: 'cpu' }))).toBe(8);
  });

  it('keeps every layer where gradient_checkpointing is false', () => {
    expect(aimed(null, 512, 512, false).choice).toMatchObject({
      none: 5,
      full: 0,
      reason: expect.stringMatching(/gradient_checkpointing is false/) as string,
    });
  });
});
