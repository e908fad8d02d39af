/**
 * What runs inside the browser for `npm run doctor`: the adapter, exact memory plans at real shapes, a trial
 * of the memory, and a short measurement.
 */
import { LORA } from '../../src/engine/pipelinedSteps.ts';
import { packDocuments } from '../../src/data/packing.ts';
import { isNf4, tensorPartBytes } from '../../src/formats/tensors.ts';
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import { openGpu, type GpuContext } from '../../src/gpu/gpuContext.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { memoryReport } from '../../src/engine/memoryReport.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { messageOf } from '../../src/lib/errors.ts';

export const TOKENS = 1024;
const CHUNK_BYTES = 128 * 1024 * 1024;
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

export interface ModelFit {
  name: string;
  /** GPU memory of a run; null where the adapter's limits are too small, and then `reason`. */
  bytes: number | null;
  reason: string | null;
  /** What the model takes in the browser's storage. */
  storedBytes: number;
  /** Multiplications of a training step over one token, twice their number being FLOP. */
  macsPerToken: number;
}

export interface Probe {
  device: string;
  isSoftware: boolean;
  features: { name: string; there: boolean }[];
  limits: { name: string; value: number }[];
  fits: ModelFit[];
  quotaBytes: number;
}

export interface Speed {
  tokensPerSecond: number;
  /** Of whole training steps. */
  gigaflops: number;
}

let context: GpuContext | null = null;

/** @returns null where the browser has no adapter */
export async function probe(models: readonly string[]): Promise<Probe | null> {
  context = await openGpu();
  if (!context) return null;
  const { device, adapterInfo, name } = context;
  const adapter = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))!;
  const { quota = 0 } = await navigator.storage.estimate();
  return {
    device: name,
    isSoftware: isSoftwareAdapter(adapterInfo),
    features: FEATURES.map((feature) => ({ name: feature, there: adapter.features.has(feature) })),
    limits: LIMITS.map((limit) => ({ name: limit, value: device.limits[limit] })),
    fits: models.map((model) => fitOf(context!, model)),
    quotaBytes: quota,
  };
}

function fitOf(gpu: GpuContext, name: string): ModelFit {
  const config = SHAPES[name];
  const model = modelOf(config);
  const { tensors } = randomModel(config);
  const infos = [...tensors.values()];
  const linears = infos
    .filter(({ kind }) => isNf4(kind))
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const head = Number(config.vocab_size) * Number(config.hidden_size);
  const storedBytes = infos
    .flatMap((info) => Object.values(tensorPartBytes(info)))
    .reduce((sum, bytes) => sum + bytes, 0);
  // Forward, forward again for the backward pass, gradient of the input; the head is not run again.
  const known = { name, macsPerToken: 3 * linears + 2 * head, storedBytes };
  try {
    const plans = makeEnginePlans(
      { model, weights: tensors, lora: LORA, tokensPerMicroBatch: TOKENS, gradientCheckpointing: true },
      gpu.settings,
      gpu.limits,
    );
    return { ...known, bytes: memoryReport(plans).total, reason: null };
  } catch (error) {
    return { ...known, bytes: null, reason: messageOf(error) };
  }
}

/** Takes and clears GPU memory up to `bytes`, and gives it back. @returns how much could be had */
export async function tryMemory(bytes: number): Promise<number> {
  const { device } = context!;
  const buffers: GPUBuffer[] = [];
  let had = 0;
  try {
    while (had < bytes) {
      const size = Math.ceil(Math.min(CHUNK_BYTES, bytes - had, device.limits.maxBufferSize) / 4) * 4;
      device.pushErrorScope('out-of-memory');
      const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
      buffers.push(buffer);
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(buffer);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      if (await device.popErrorScope()) break;
      had += size;
    }
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
  return had;
}

/** Whole training steps of two layers of a real model's shape, for `ms`. */
export async function measure(ms: number): Promise<Speed> {
  const gpu = context!;
  const config = { ...SHAPES['SmolLM2-135M'], num_hidden_layers: 2, vocab_size: 4096 };
  const tokens = isSoftwareAdapter(gpu.adapterInfo) ? 64 : TOKENS;
  const engine = await WebGpuEngine.create(gpu, {
    weights: randomModel(config),
    lora: LORA,
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: true,
    seed: 0,
  });
  const inputIds = Array.from({ length: tokens }, (_, i) => (i * 37) % 4000);
  const microBatches = packDocuments([{ inputIds, labels: inputIds }], { tokens, padTokenId: 0 });
  const step = (number: number) =>
    engine.trainStep({ microBatches, step: number, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
  await step(0);
  const started = performance.now();
  let steps = 0;
  do await step(++steps);
  while (performance.now() - started < ms);
  const seconds = (performance.now() - started) / 1000;
  engine.dispose();
  const linears = 2 * (2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536);
  return {
    tokensPerSecond: (steps * tokens) / seconds,
    gigaflops: (2 * (3 * linears + 2 * 4096 * 576) * steps * tokens) / seconds / 1e9,
  };
}
