/**
 * The engine as a whole on a tiny model: memory, repeatability, packing, checkpointing, generation, and the
 * fallback beside it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { packDocuments } from '../../src/data/packing.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import type { AdapterTensors, Engine, EngineOptions, StepInput } from '../../src/engine/engine.ts';
import { TensorFlowEngine } from '../../src/engine/tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { type Quantization } from '../../src/import/planTensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { gpuWith, ownGpu, testGpu } from '../helpers/gpu.ts';
import { sharedPath } from '../helpers/shared.ts';
import { TINY_CONFIG, tinyModelFiles, TINY_LORA } from '../helpers/tinyModel.ts';

const gpu = await testGpu();

async function tinySource(
  quantization: Quantization = 'nf4',
  config: Record<string, unknown> = TINY_CONFIG,
): Promise<WeightSource> {
  return memoryWeightSource(
    await openCheckpoint(tinyModelFiles({}, config)),
    modelOf(config).tensors,
    quantization,
  );
}

const documents = [9, 3, 14, 2, 21, 5, 1, 12].map((length, i) => {
  const inputIds = [...uniform(length, 50 + i)].map((value) => Math.floor((value + 1) * 120));
  return { inputIds, labels: inputIds.map((id, p) => (p < 1 ? -100 : id)) };
});

function options(weights: WeightSource, change: Partial<EngineOptions> = {}): EngineOptions {
  return {
    weights,
    lora: TINY_LORA,
    tokensPerMicroBatch: 96,
    gradientCheckpointing: true,
    seed: 7,
    ...change,
  };
}

let engine: Engine | undefined;
afterEach(() => {
  engine?.dispose();
  engine = undefined;
});

async function open(
  change: Partial<EngineOptions> = {},
  quantization: Quantization = 'nf4',
): Promise<WebGpuEngine> {
  engine?.dispose();
  const made = await WebGpuEngine.create(gpu!, options(await tinySource(quantization), change));
  engine = made;
  return made;
}

const pack = (tokens: number, indices = documents.map((_, i) => i)) =>
  packDocuments(
    indices.map((i) => documents[i]),
    { tokens, padTokenId: 0, indices },
  );
const step = (microBatches: StepInput['microBatches'], number = 0): StepInput => ({
  microBatches,
  step: number,
  learningRate: 1e-2,
  weightDecay: 0.01,
  maxGradNorm: 1,
});

/** An adapter whose B is not zero, so that every gradient is alive. */
async function stirred(target: Engine): Promise<AdapterTensors> {
  return new Map(
    [...(await target.readAdapter())].map(([name, { shape, data }], i) => [
      name,
      { shape, data: uniform(data.length, i).map((value) => 0.1 * value) },
    ]),
  );
}

async function gradientsOf(
  change: Partial<EngineOptions>,
  batches: StepInput['microBatches'],
  numberOfStep = 3,
) {
  const target = await open(change);
  await target.loadAdapter(await stirred(target));
  return target.gradients(batches, numberOfStep);
}

function relativeDifference(a: AdapterTensors, b: AdapterTensors): number {
  expect([...a.keys()]).toEqual([...b.keys()]);
  let worst = 0;
  for (const [name, { data }] of a) {
    const other = b.get(name)!.data;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    worst = Math.max(worst, ...data.map((value, i) => Math.abs(value - other[i]) / largest));
  }
  return worst;
}

describe.skipIf(!gpu)('engine', () => {
  it('allocates to the byte what it planned, with and without a KV cache', async () => {
    const target = await open({ lora: { ...TINY_LORA, lora_dropout: 0.1 } });
    const planned = target.memory;
    expect(planned.total).toBeGreaterThan(100_000);
    const { total, ...parts } = planned;
    expect(gpu!.allocated()).toEqual(parts);
    expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(total);
    await target.generate([[1, 2, 3]], {
      maxNewTokens: 3,
      stopTokenIds: [],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    });
    const { total: withCache, ...grown } = target.memory;
    expect(gpu!.allocated()).toEqual(grown);
    expect(grown.kvCache).toBeGreaterThan(0);
    expect(withCache).toBeGreaterThan(total);
    target.dispose();
    engine = undefined;
    expect(Object.values(gpu!.allocated()).every((bytes) => bytes === 0)).toBe(true);
  });

  it('gives the same adapter, byte for byte, for the same seed, dropout included; another for another', async () => {
    const train = async (seed: number) => {
      const target = await open({ seed, lora: { ...TINY_LORA, lora_dropout: 0.2 } });
      const losses: number[] = [];
      for (let i = 0; i < 4; i++)
        losses.push((await target.trainStep(step(pack(96, [i, i + 1, i + 2]), i))).loss);
      return { losses, adapter: await target.readAdapter() };
    };
    const [a, b, c] = [await train(1), await train(1), await train(2)];
    expect(b).toEqual(a);
    expect(c.losses).not.toEqual(a.losses);
  });

  it('learns: the loss of rows seen again and again falls', async () => {
    const target = await open();
    const losses: number[] = [];
    for (let i = 0; i < 30; i++) losses.push((await target.trainStep(step(pack(96), i))).loss);
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]);
  });

  it.each([0, 0.25])(
    'gives the same loss and gradients however documents are packed (dropout %d)',
    async (lora_dropout) => {
      const lora = { ...TINY_LORA, lora_dropout };
      const whole = await gradientsOf({ lora }, pack(96));
      const small = await gradientsOf({ lora, tokensPerMicroBatch: 32 }, pack(32));
      const reversed = await gradientsOf({ lora }, pack(96, documents.map((_, i) => i).reverse()));
      const apart = await gradientsOf(
        { lora },
        documents.flatMap((_, i) => pack(96, [i])),
      );
      for (const other of [small, reversed, apart]) {
        expect(Math.abs(other.loss - whole.loss) / whole.loss).toBeLessThan(1e-6);
        expect(relativeDifference(whole.gradients, other.gradients)).toBeLessThan(1e-5);
      }
    },
  );

  it('gives the same gradients with and without activation checkpointing, in less memory', async () => {
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const kept = await gradientsOf({ lora, gradientCheckpointing: false }, pack(96));
    const keptBytes = engine!.memory.activations;
    const recomputed = await gradientsOf({ lora, gradientCheckpointing: true }, pack(96));
    expect(recomputed).toEqual(kept);
    expect(engine!.memory.activations).toBeLessThan(keptBytes);
  });

  it('gives the same gradients whatever of its layers is recomputed', async () => {
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const kept = await gradientsOf({ lora, gradientCheckpointing: false }, pack(96));
    const keptBytes = engine!.memory.total;
    const memoryAim = { limitBytes: keptBytes - 1, leastTokens: 96 };
    const some = await gradientsOf({ lora, memoryAim }, pack(96));
    expect(engine!.memoryChoice).toMatchObject({ cheap: 1, attention: 1, full: 0, packed: false });
    expect(some).toEqual(kept);
    const { total, ...parts } = engine!.memory;
    expect(total).toBeLessThan(keptBytes);
    expect(gpu!.allocated()).toEqual(parts);
  });

  it.each(['cheap', 'attention'] as const)('recomputes what is %s without a difference', async (what) => {
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const kept = await gradientsOf({ lora, gradientCheckpointing: false }, pack(96));
    expect(await gradientsOf({ lora, gradientCheckpointing: what }, pack(96))).toEqual(kept);
  });

  it('keeps activations in 16 bits with the same loss and gradients that differ by their rounding', async () => {
    const wide = { ...TINY_CONFIG, hidden_size: 128, intermediate_size: 256, num_hidden_layers: 3 };
    const weights = await tinySource('nf4', wide);
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const of = (activationDtype: 'float32' | 'e6m9', gradientCheckpointing: boolean) =>
      gradientsOf({ weights, lora, activationDtype, gradientCheckpointing }, pack(96));
    const kept = await of('float32', false);
    const keptBytes = engine!.memory.activations;
    for (const checkpointing of [false, true]) {
      const packed = await of('e6m9', checkpointing);
      expect(packed.loss).toBe(kept.loss);
      const difference = relativeDifference(kept.gradients, packed.gradients);
      // Rounding to 10 bits of mantissa: 2^-10 for each element, of which gradients are sums.
      expect(difference).toBeLessThan(4e-3);
      expect(difference).toBeGreaterThan(1e-6);
      expect(engine!.memory.activations).toBeLessThan(keptBytes);
      const { total, ...parts } = engine!.memory;
      expect(gpu!.allocated()).toEqual(parts);
      expect(total).toBeGreaterThan(0);
      expect(await of('e6m9', checkpointing)).toEqual(packed);
    }
  });

  it('trains as the TensorFlow.js engine does', async () => {
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const target = await open({ lora });
    const fallback = await TensorFlowEngine.create(options(await tinySource(), { lora }), ['cpu']);
    const start = await stirred(target);
    for (const each of [target, fallback]) await each.loadAdapter(start);
    for (let i = 0; i < 3; i++) {
      const [mine, other] = [
        await target.trainStep(step(pack(96), i)),
        await fallback.trainStep(step(pack(96), i)),
      ];
      expect(Math.abs(mine.loss - other.loss)).toBeLessThan(1e-5);
      expect(Math.abs(mine.gradNorm - other.gradNorm) / other.gradNorm).toBeLessThan(1e-4);
    }
    expect(relativeDifference(await fallback.readAdapter(), await target.readAdapter())).toBeLessThan(1e-3);
    const [batch] = pack(96);
    const [scores, others] = [await target.score(batch), await fallback.score(batch)];
    expect(Math.max(...scores.loss.map((value, i) => Math.abs(value - others.loss[i])))).toBeLessThan(2e-4);
    expect(scores.correct).toEqual(others.correct);
    expect(scores.correct.length).toBe(96);
    const greedy = {
      maxNewTokens: 8,
      stopTokenIds: [257],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    };
    expect(await fallback.generate([[1, 2, 3], [9]], greedy)).toEqual(
      await target.generate([[1, 2, 3], [9]], greedy),
    );
    fallback.dispose();
  });

  it('marks the tokens that were the argmax', async () => {
    engine?.dispose();
    const target = await WebGpuEngine.create(gpu!, { ...options(await tinySource()), logits: true });
    engine = target;
    await target.loadAdapter(await stirred(target));
    const [plain] = pack(96);
    const logits = await target.logits(plain);
    const argmax = Array.from({ length: 96 }, (_, t) => {
      const row = logits.subarray(t * 262, (t + 1) * 262);
      return row.indexOf(Math.max(...row));
    });
    // Every other target is the argmax itself.
    const targets = plain.targets.map((target, t) => (target >= 0 && t % 2 === 0 ? argmax[t] : target));
    const { correct, loss } = await target.score({ ...plain, targets });
    expect([...correct]).toEqual(
      [...targets].map((target, t) => (target >= 0 && target === argmax[t] ? 1 : 0)),
    );
    expect(correct.filter((hit) => hit === 1).length).toBeGreaterThan(20);
    expect(loss.every((value, t) => value === 0 || targets[t] >= 0)).toBe(true);
  });

  it('goes on from a checkpoint to the same bytes', async () => {
    const lora = { ...TINY_LORA, lora_dropout: 0.1 };
    const target = await open({ lora });
    for (let i = 0; i < 2; i++) await target.trainStep(step(pack(96), i));
    const [adapter, optimizer] = [await target.readAdapter(), await target.readOptimizer()];
    for (let i = 2; i < 4; i++) await target.trainStep(step(pack(96), i));
    const expected = await target.readAdapter();
    const resumed = await open({ lora });
    await resumed.loadAdapter(adapter);
    await resumed.loadOptimizer(optimizer);
    for (let i = 2; i < 4; i++) await resumed.trainStep(step(pack(96), i));
    expect(await resumed.readAdapter()).toEqual(expected);
  });

  it('leaves the adapter as it was where the loss is not a number', async () => {
    const target = await open();
    const adapter = await stirred(target);
    adapter.values().next().value!.data.fill(1e38);
    await target.loadAdapter(adapter);
    await expect(target.trainStep(step(pack(96)))).rejects.toThrow(
      /became NaN or infinite at step 1; the step was not applied/,
    );
    expect(await target.readAdapter()).toEqual(adapter);
  });

  it('generates the same ids in a batch as one by one, past the length of a micro-batch, and stops at an end token', async () => {
    const target = await open({ tokensPerMicroBatch: 32 });
    await target.loadAdapter(await stirred(target));
    const prompts = [3, 40, 1, 7, 33, 2, 5, 6, 9, 11].map((length, i) =>
      [...uniform(length, i)].map((value) => Math.floor((value + 1) * 120)),
    );
    const greedy = {
      maxNewTokens: 12,
      stopTokenIds: [] as number[],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    };
    const together = await target.generate(prompts, greedy);
    const alone: number[][] = [];
    for (const prompt of prompts) alone.push(...(await target.generate([prompt], greedy)));
    expect(together).toEqual(alone);
    const stop = together[0][5];
    const [stopped] = await target.generate([prompts[0]], { ...greedy, stopTokenIds: [stop] });
    expect(stopped).toEqual(together[0].slice(0, together[0].indexOf(stop) + 1));
  });

  it('samples by seed: the same seed the same ids, a temperature near zero the greedy ones', async () => {
    const target = await open();
    const sampled = {
      maxNewTokens: 20,
      stopTokenIds: [],
      doSample: true,
      temperature: 1.5,
      topP: 0.95,
      seed: 5,
    };
    const [a] = await target.generate([[1, 2]], sampled);
    const [b] = await target.generate([[1, 2]], sampled);
    const [c] = await target.generate([[1, 2]], { ...sampled, seed: 6 });
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
    const [cold] = await target.generate([[1, 2]], { ...sampled, temperature: 1e-3 });
    const [greedy] = await target.generate([[1, 2]], { ...sampled, doSample: false });
    expect(cold).toEqual(greedy);
  });
});

/** The adapter with every B multiplied by s. */
function scaled(adapter: AdapterTensors, s: number): AdapterTensors {
  return new Map(
    [...adapter].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.includes('lora_B') ? data.map((value) => value * s) : data },
    ]),
  );
}

describe.skipIf(!gpu)('adapter adapterScale', () => {
  const [batch] = pack(96);
  const greedy = {
    maxNewTokens: 10,
    stopTokenIds: [] as number[],
    doSample: false,
    temperature: 1,
    topP: 1,
    seed: 0,
  };
  const prompts = [
    [1, 2, 3],
    [90, 91],
  ];

  it('s is an adapter whose B is multiplied by s, 0 is the base model, and the adapter stays as it is', async () => {
    const target = await open();
    const base = await target.score(batch);
    const adapter = await stirred(target);
    await target.loadAdapter(adapter);
    expect(await target.score(batch, 1)).toEqual(await target.score(batch));
    expect(await target.score(batch, 0)).toEqual(base);
    for (const s of [0.35, 0.5, 1.5]) {
      const [scores, ids] = [
        await target.score(batch, s),
        await target.generate(prompts, { ...greedy, adapterScales: [s, s] }),
      ];
      await target.loadAdapter(scaled(adapter, s));
      const expected = await target.score(batch);
      expect(await target.generate(prompts, greedy)).toEqual(ids);
      await target.loadAdapter(adapter);
      // Powers of two scale without rounding.
      if (s === 0.5) expect(scores).toEqual(expected);
      expect(Math.max(...scores.loss.map((value, i) => Math.abs(value - expected.loss[i])))).toBeLessThan(
        1e-5,
      );
      expect(scores).not.toEqual(await target.score(batch));
    }
    expect(await target.readAdapter()).toEqual(adapter);
  });

  it('is each slot’s own: base and tuned side by side are what they are alone, sampled by one stream', async () => {
    const target = await open();
    await target.loadAdapter(await stirred(target));
    const sampled = { ...greedy, doSample: true, temperature: 1.2, topP: 0.95, seed: 3 };
    const [prompt] = prompts;
    const together = await target.generate([prompt, prompt, prompt], {
      ...sampled,
      adapterScales: [0, 1, 1],
      streams: [0, 0, 0],
    });
    const alone = [0, 1].map((s) =>
      target.generate([prompt], { ...sampled, adapterScales: [s], streams: [0] }),
    );
    expect(together).toEqual([...(await alone[0]), ...(await alone[1]), together[1]]);
    expect(together[0]).not.toEqual(together[1]);
  });

  it('leaves training as it was', async () => {
    const train = async (between: (target: WebGpuEngine) => Promise<unknown>) => {
      const target = await open();
      for (let i = 0; i < 3; i++) {
        await target.trainStep(step(pack(96), i));
        await between(target);
      }
      return target.readAdapter();
    };
    const plain = await train(async () => undefined);
    expect(
      await train((target) =>
        Promise.all([
          target.score(batch, 0.3),
          target.generate(prompts, { ...greedy, adapterScales: [0, 1.5] }),
        ]),
      ),
    ).toEqual(plain);
  });

  it('is the same on TensorFlow.js', async () => {
    const target = await open();
    const fallback = await TensorFlowEngine.create(options(await tinySource()), ['cpu']);
    const adapter = await stirred(target);
    for (const each of [target, fallback]) await each.loadAdapter(adapter);
    const [mine, other] = [await target.score(batch, 0.7), await fallback.score(batch, 0.7)];
    expect(Math.max(...mine.loss.map((value, i) => Math.abs(value - other.loss[i])))).toBeLessThan(2e-4);
    const reported: number[][] = [[], []];
    const adapterScales = [0, 1.5];
    const made = await fallback.generate(
      prompts,
      { ...greedy, adapterScales },
      { onIds: (prompt, ids) => (reported[prompt] = [...ids]) },
    );
    expect(made).toEqual(await target.generate(prompts, { ...greedy, adapterScales }));
    expect(reported).toEqual(made);
    fallback.dispose();
  });
});

describe.skipIf(!gpu)('an engine that only answers', () => {
  it('scores and generates as a training engine does, in less memory, and cannot train', async () => {
    const trained = await open();
    const adapter = await stirred(trained);
    await trained.loadAdapter(adapter);
    const [batch] = pack(96);
    const greedy = { maxNewTokens: 6, stopTokenIds: [], doSample: false, temperature: 1, topP: 1, seed: 0 };
    const expected = [await trained.score(batch), await trained.generate([[1, 2, 3]], greedy)];
    const bytes = trained.memory.total;
    const target = await open({ training: false });
    await target.loadAdapter(adapter);
    const { total, ...parts } = target.memory;
    expect(gpu!.allocated()).toEqual(parts);
    expect(total).toBeLessThan(bytes);
    expect([await target.score(batch), await target.generate([[1, 2, 3]], greedy)]).toEqual(expected);
    await expect(target.trainStep(step([batch]))).rejects.toThrow(/for answering only/);
  });

  it('reports ids as they come and stops when asked, with what it has', async () => {
    const target = await open({ training: false });
    const reported: string[] = [];
    let rounds = 0;
    const endless = {
      maxNewTokens: 100,
      stopTokenIds: [],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    };
    const made = await target.generate(
      [
        [1, 2],
        [3, 4],
      ],
      endless,
      { onIds: (prompt, ids) => reported.push(`${prompt}: ${ids.length}`), stopped: () => ++rounds > 4 },
    );
    expect(reported).toEqual([1, 2, 3, 4].flatMap((length) => [`0: ${length}`, `1: ${length}`]));
    expect(made.map(({ length }) => length)).toEqual([4, 4]);
  });
});

describe.skipIf(!gpu)('a lost device', () => {
  it('is reported by name, whatever was running', async () => {
    const context = await ownGpu();
    const target = await WebGpuEngine.create(context, options(await tinySource()));
    const going = target.trainStep(step(pack(96)));
    context.device.destroy();
    await expect(going).rejects.toMatchObject({ name: 'DeviceLostError' });
    await expect(target.score(pack(96)[0])).rejects.toMatchObject({ name: 'DeviceLostError' });
    await expect(target.readAdapter()).rejects.toMatchObject({ name: 'DeviceLostError' });
  });
});

// Compiling takes half a minute on a CPU adapter; generation.test.ts has the kernels of answers.
describe.skipIf(!gpu)('engine on the kernels of GPUs', () => {
  it(
    'makes one product of projections that share an input, and computes the same',
    { timeout: 600_000 },
    async () => {
      const config = {
        ...TINY_CONFIG,
        hidden_size: 64,
        intermediate_size: 96,
        num_attention_heads: 4,
        num_key_value_heads: 2,
      };
      const run = async (settings: Partial<KernelSettings>) => {
        const context = await gpuWith(settings);
        const target = await WebGpuEngine.create(context, options(await tinySource('nf4', config)));
        const { total, ...parts } = target.memory;
        expect(context.allocated()).toEqual(parts);
        await target.loadAdapter(await stirred(target));
        const gradients = await target.gradients(pack(96));
        context.dispose();
        return { total, ...gradients };
      };
      const compiled = vi.spyOn(GpuContext.prototype, 'pipeline');
      const [tiled, direct] = [
        await run({ target: 'gpu', rowWorkgroup: 128 }),
        await run({ target: 'cpu', rowWorkgroup: 1 }),
      ];
      const groups = compiled.mock.calls.map(([code]) => /PROBLEMS: u32 = (\d)u/.exec(code)?.[1]);
      compiled.mockRestore();
      expect(groups).toContain('2');
      expect(groups).toContain('3');
      expect(Math.abs(tiled.loss - direct.loss)).toBeLessThan(1e-6);
      expect(relativeDifference(direct.gradients, tiled.gradients)).toBeLessThan(2e-5);
    },
  );
});

describe.skipIf(!gpu)('engine within small limits', () => {
  it(
    'splits table, head, adapter and optimiser over buffers and bindings, and computes the same',
    { timeout: 600_000 },
    async () => {
      const small = await gpuWith(
        { maxBindingBytes: 4096 },
        { maxBindingBytes: 80 * 1024, maxBufferBytes: 80 * 1024 },
      );
      const lora = { ...TINY_LORA, r: 64, lora_dropout: 0.1 };
      const run = async (context: typeof small) => {
        const target = await WebGpuEngine.create(
          context,
          options(await tinySource('none'), { lora, generation: { slots: 8, maxLength: 128 } }),
        );
        const { total, ...parts } = target.memory;
        expect(context.allocated()).toEqual(parts);
        await target.loadAdapter(await stirred(target));
        const { loss, gradients } = await target.gradients(pack(96));
        const losses: number[] = [];
        for (let i = 0; i < 3; i++) losses.push((await target.trainStep(step(pack(96), i))).loss);
        const ids = await target.generate([[1, 2, 3], [9]], {
          maxNewTokens: 8,
          stopTokenIds: [],
          doSample: false,
          temperature: 1,
          topP: 1,
          seed: 0,
        });
        const made = {
          total,
          loss,
          gradients,
          losses,
          ids,
          scores: await target.score(pack(96)[0]),
          adapter: await target.readAdapter(),
        };
        target.dispose();
        return made;
      };
      const created = vi.spyOn(small, 'createBuffer');
      const [mine, whole] = [await run(small), await run(gpu!)];
      const labels = created.mock.calls.map(([, label]) => label);
      expect(labels.filter((label) => label.startsWith('model.embed_tokens.weight data'))).toHaveLength(7);
      expect(labels.filter((label) => /^state adapter/.test(label)).length).toBeGreaterThan(2);
      expect(Math.max(...created.mock.calls.map(([, , bytes]) => bytes))).toBeLessThanOrEqual(80 * 1024);
      expect(mine.ids).toEqual(whole.ids);
      mine.losses.forEach((loss, i) => expect(Math.abs(loss - whole.losses[i])).toBeLessThan(1e-5));
      expect(Math.abs(mine.loss - whole.loss)).toBeLessThan(1e-6);
      expect(relativeDifference(whole.gradients, mine.gradients)).toBeLessThan(1e-5);
      expect(
        Math.max(...mine.scores.loss.map((value, i) => Math.abs(value - whole.scores.loss[i]))),
      ).toBeLessThan(1e-4);
      expect(relativeDifference(whole.adapter, mine.adapter)).toBeLessThan(1e-3);
      small.dispose();
    },
  );

  it('refuses what cannot be split, before anything is allocated', async () => {
    const small = await gpuWith({}, { maxBindingBytes: 24 * 1024 });
    await expect(WebGpuEngine.create(small, options(await tinySource()))).rejects.toThrow(
      /in one piece, but this GPU binds at most/,
    );
    expect(Object.values(small.allocated()).every((bytes) => bytes === 0)).toBe(true);
    small.dispose();
  });
});

const stories = sharedPath('models/stories260K');
describe.skipIf(!gpu || !stories)('stories260K', () => {
  it('generates the ids of greedy.json, with and without the KV cache', { timeout: 300_000 }, async () => {
    const source = await openCheckpoint(await filesOf(stories!));
    const weights = memoryWeightSource(source, modelOf(source.config).tensors, 'none');
    const expected = JSON.parse(readFileSync(join(stories!, 'greedy.json'), 'utf8')) as {
      prompt_ids: number[];
      new_ids: number[];
      text: string;
    }[];
    const longest = Math.max(
      ...expected.map(({ prompt_ids, new_ids }) => prompt_ids.length + new_ids.length),
    );
    const tokens = Math.ceil(longest / 32) * 32;
    const target = await WebGpuEngine.create(gpu!, {
      ...options(weights, { tokensPerMicroBatch: tokens }),
      logits: true,
    });
    engine = target;
    const cached = await target.generate(
      expected.map(({ prompt_ids }) => prompt_ids),
      {
        maxNewTokens: expected[0].new_ids.length,
        stopTokenIds: [],
        doSample: false,
        temperature: 1,
        topP: 1,
        seed: 0,
      },
    );
    expect(cached).toEqual(expected.map(({ new_ids }) => new_ids));
    const tokenizer = new ChatTokenizer(source.texts);
    for (const [i, { text }] of expected.entries())
      expect(tokenizer.decode([...expected[i].prompt_ids, ...cached[i]], { skipSpecial: true })).toBe(text);

    // Without the cache: the whole sequence again for each id.
    const vocabulary = 512;
    const { prompt_ids, new_ids } = expected[0];
    const ids = [...prompt_ids];
    for (let i = 0; i < new_ids.length; i++) {
      const logits = await target.logits(
        packDocuments([{ inputIds: ids, labels: ids }], { tokens, padTokenId: 0 })[0],
      );
      const row = logits.subarray((ids.length - 1) * vocabulary, ids.length * vocabulary);
      ids.push(row.indexOf(row.reduce((a, b) => Math.max(a, b))));
    }
    expect(ids.slice(prompt_ids.length)).toEqual(new_ids);
  });
});
