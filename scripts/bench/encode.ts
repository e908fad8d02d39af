/** What JavaScript costs a step: replaying a plan of a 16-layer model against the eager TensorFlow.js executor on the same graph and device. */
import type { GpuContext } from '../../src/gpu/context.ts';
import { modelOf } from '../../src/model/registry.ts';
import { trainGraph } from '../../src/model/plans.ts';
import { TensorFlowExecutor } from '../../src/plan/tensorflow/executor.ts';
import { loadTensorFlowOn } from '../../src/plan/tensorflow/load.ts';
import { packDocuments } from '../../src/data/packing.ts';
import { weightValues } from '../../src/training/weightValues.ts';
import { WebGpuEngine } from '../../src/training/webgpuEngine.ts';
import { nodeGpu } from '../lib/nodeGpu.ts';
import { randomModel, SHAPES } from '../lib/randomModel.ts';

const LORA = { r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false, use_dora: false };
const TOKENS = 32;

export interface EncodeBench {
  model: string;
  dispatches: number;
  /** Median milliseconds of JavaScript for the training plan of one micro-batch: encode and finish. */
  replayMs: number;
  /** What the driver then takes in submit. */
  submitMs: number;
  /** The same for the eager TensorFlow.js executor: forward and gradients, without waiting for the GPU. */
  eagerMs: number;
  ratio: number;
}

export async function benchEncode(context: GpuContext): Promise<EncodeBench> {
  const model = '16 layers of width 32';
  const weights = randomModel(SHAPES[model]);
  const engine = await WebGpuEngine.create(context, { weights, lora: LORA, tokensPerMicroBatch: TOKENS, gradientCheckpointing: true, seed: 0 });
  const inputIds = Array.from({ length: TOKENS }, (_, i) => i);
  const [batch] = packDocuments([{ inputIds, labels: inputIds }], { tokens: TOKENS, padTokenId: 0 });
  await engine.trainStep({ microBatches: [batch], step: 0, learningRate: 1e-3, weightDecay: 0, maxGradNorm: 1 });
  const replay: number[] = [];
  const submit: number[] = [];
  let dispatches = 0;
  for (let i = 0; i < 30; i++) {
    const measured = await engine.measureEncode();
    replay.push(measured.encodeMs);
    submit.push(measured.submitMs);
    dispatches = measured.dispatches;
  }
  engine.dispose();

  // TensorFlow.js looks for a browser's navigator before it takes a device that it is given.
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: nodeGpu() }, configurable: true });
  const { tf, flush } = await loadTensorFlowOn(context.device, context.adapterInfo);
  const options = { tokens: TOKENS, positions: TOKENS, lora: LORA, weights: weights.tensors };
  const { graph, layout, seeds } = trainGraph(modelOf(weights.config), options, false);
  const frozen = new Map<string, ReturnType<typeof tf.tensor>>();
  for (const [name, { shape }] of weights.tensors) frozen.set(name, tf.tensor(await weightValues(weights, name), shape));
  const parameters = new Map([...layout.parameters.values()].map(({ name, shape }) => [name, tf.zeros(shape)]));
  const executor = new TensorFlowExecutor(tf, graph, frozen);
  const feeds = { ...batch, lossWeights: new Float32Array(TOKENS).fill(1 / TOKENS), random: new Uint32Array(2) } as unknown as Record<string, Float32Array>;
  const eager: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    const { loss, gradients } = executor.gradients(seeds, feeds, parameters);
    flush();
    eager.push(performance.now() - started);
    await loss.data();
    tf.dispose([loss, ...gradients.values()]);
  }
  executor.dispose();
  const [replayMs, submitMs, eagerMs] = [median(replay), median(submit), median(eager)];
  return { model, dispatches, replayMs, submitMs, eagerMs, ratio: eagerMs / replayMs };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
