/**
 * Compares whole steps with the eager TensorFlow.js executor on the same graph, device and run, and the
 * JavaScript of both.
 */
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { trainGraph } from '../../src/model/planGraphs.ts';
import { TensorFlowExecutor } from '../../src/plan/tensorflow/tensorflowExecutor.ts';
import { loadTensorFlowOn } from '../../src/plan/tensorflow/loadTensorflow.ts';
import { packDocuments } from '../../src/data/packing.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { weightValues } from '../../src/engine/tensorflow/weightValues.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { LORA, median, takeSteps } from '../../src/engine/pipelinedSteps.ts';
import { warmUp, type BenchHost, type BenchOptions } from './measuring.ts';

export interface EagerBench {
  model: string;
  tokens: number;
  level: KernelLevel;
  dispatches: number;
  /**
   * Median milliseconds for the training plan of one micro-batch: JavaScript until the command buffer is
   * finished, then submit.
   */
  replayMs: number;
  submitMs: number;
  /** A whole step: forward, backward, clip, AdamW, loss read back. */
  stepMs: number;
  /**
   * Milliseconds of the eager executor's JavaScript for forward and gradients, and until its loss is read. It
   * has no clip and no AdamW.
   */
  eagerEncodeMs: number;
  eagerStepMs: number;
}

/** Runs of the eager executor that count, after one that compiles its programs. */
const RUNS = 3;

const MODELS = {
  tiny: [['16 layers of width 32', 32]],
  real: [
    ['16 layers of width 32', 32],
    ['16 layers of SmolLM2-135M', 128],
  ],
} as const;

export async function benchEager(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<EagerBench[]> {
  const rows: EagerBench[] = [];
  for (const [model, tokens] of MODELS[options.size].filter(
    ([name]) => !options.models || options.models.includes(name),
  )) {
    const weights = randomModel(SHAPES[model]);
    const vocabulary = SHAPES[model].vocab_size as number;
    const inputIds = Array.from({ length: tokens }, (_, i) => (i * 37) % vocabulary);
    const [batch] = packDocuments([{ inputIds, labels: inputIds }], { tokens, padTokenId: 0 });
    const mine = [];
    for (const level of context.levels.filter((each) => !options.levels || options.levels.includes(each)))
      mine.push({ level, ...(await replayed(context, weights, batch, level)) });
    const eager = await eagerly(context, weights, batch);
    for (const each of mine) {
      rows.push({ model, tokens, ...each, ...eager });
      host.log(
        `${model}, ${tokens} tokens, ${each.level}: a step ${each.stepMs.toFixed(2)} ms, eager TensorFlow.js ${eager.eagerStepMs.toFixed(0)} ms (${(eager.eagerStepMs / each.stepMs).toFixed(0)}×); encoding ${each.dispatches} dispatches ${each.replayMs.toFixed(2)} ms and ${each.submitMs.toFixed(2)} ms in the driver, eager ${eager.eagerEncodeMs.toFixed(0)} ms (${(eager.eagerEncodeMs / each.replayMs).toFixed(0)}×)`,
      );
    }
  }
  return rows;
}

async function replayed(context: GpuContext, weights: WeightSource, batch: MicroBatch, level: KernelLevel) {
  context.settings.level = level;
  const engine = await WebGpuEngine.create(context, {
    weights,
    lora: LORA,
    tokensPerMicroBatch: batch.tokens,
    gradientCheckpointing: false,
    seed: 0,
  });
  let number = 0;
  const step = () =>
    engine.trainStep({
      microBatches: [batch],
      step: number++,
      learningRate: 1e-5,
      weightDecay: 0,
      maxGradNorm: 1,
    });
  await warmUp(step);
  const steps = await takeSteps(engine, 10, step);
  const encodes = [];
  for (let i = 0; i < 15; i++) encodes.push(await engine.timing.encode());
  engine.dispose();
  context.settings.level = 'plain';
  return {
    dispatches: encodes[0].dispatches,
    replayMs: median(encodes.map(({ encodeMs }) => encodeMs)),
    submitMs: median(encodes.map(({ submitMs }) => submitMs)),
    stepMs: median(steps.slice(1)),
  };
}

async function eagerly(context: GpuContext, weights: WeightSource, batch: MicroBatch) {
  const { tf, flush } = await loadTensorFlowOn(context.device, context.adapterInfo);
  const { tokens } = batch;
  const { graph, layout, seeds } = trainGraph(
    modelOf(weights.config),
    { tokens, positions: tokens, lora: LORA, weights: weights.tensors },
    false,
  );
  const frozen = new Map<string, ReturnType<typeof tf.tensor>>();
  for (const [name, { shape }] of weights.tensors)
    frozen.set(name, tf.tensor(await weightValues(weights, name), shape));
  const parameters = new Map(
    [...layout.parameters.values()].map(({ name, shape }) => [name, tf.zeros(shape)]),
  );
  const executor = new TensorFlowExecutor(tf, graph, frozen);
  const feeds = {
    ...batch,
    lossWeights: new Float32Array(tokens).fill(1 / tokens),
    random: new Uint32Array(2),
  } as unknown as Record<string, Float32Array>;
  const encodes: number[] = [];
  const steps: number[] = [];
  for (let i = 0; i < RUNS + 1; i++) {
    const started = performance.now();
    const { loss, gradients } = executor.gradients(seeds, feeds, parameters);
    flush();
    const encodeMs = performance.now() - started;
    // The loss is copied after everything else on the queue.
    await loss.data();
    if (i >= 1) {
      encodes.push(encodeMs);
      steps.push(performance.now() - started);
    }
    tf.dispose([loss, ...gradients.values()]);
  }
  executor.dispose();
  tf.dispose([...frozen.values(), ...parameters.values()]);
  tf.removeBackend('webgpu');
  return { eagerEncodeMs: median(encodes), eagerStepMs: median(steps) };
}
