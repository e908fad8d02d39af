/** The calculations of shared/golden's make_golden.py, done by the engine. */
import { packDocuments } from '../../src/data/packing.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import type { SourceCheckpoint } from '../../src/formats/checkpoint.ts';
import { writePeftFolder } from '../../src/formats/peft.ts';
import type { TensorToWrite } from '../../src/formats/safetensors.ts';
import type { Float32Tensor, WeightSource } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { dequantize, dynamicMap, Nf4Quantizer } from '../../src/quant/nf4.ts';
import { toFloat32 } from '../../src/formats/safetensors.ts';
import type { AdapterTensors, LoraSettings } from '../../src/engine/engine.ts';
import { learningRate } from '../../src/training/schedule.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { greedyAnswers, type ReferenceDocument } from './greedyAnswers.ts';

export interface ReferenceInputs {
  context: GpuContext;
  source: SourceCheckpoint;
  documents: ReferenceDocument[];
  initial: ReadonlyMap<string, Float32Tensor>;
  /** adapter_init's adapter_config.json. */
  initialConfig: { r: number; lora_alpha: number };
  initialQlora?: ReadonlyMap<string, Float32Tensor>;
  /** probe_A.* and probe_B.*. */
  probe: ReadonlyMap<string, Float32Tensor>;
  /**
   * Only so many steps of LoRA and QLoRA, and neither rsLoRA nor what follows from the last step, where the
   * whole takes too long. Answers of the base and of the probe are generated all the same.
   */
  steps?: number;
  /** Whether DoRA's curve is trained too; where nothing is said, in the whole only. */
  dora?: boolean;
  log(line: string): void;
}

export interface ReferenceResult {
  arrays: Map<string, TensorToWrite>;
  scalars: Record<string, unknown>;
  /** PEFT folders by name: file name to bytes. */
  adapters: Record<string, Map<string, Uint8Array>>;
}

/** Of the references: 20 steps at 1e-2 with 3 of warm-up, decay 0.01, clip 1. */
const STEPS = 20;
const SCHEDULE = {
  lr_scheduler_type: 'cosine' as const,
  learning_rate: 1e-2,
  warmupSteps: 3,
  totalSteps: STEPS,
};
/** Documents whose prompts are answered. */
export const GREEDY_DOCUMENTS = 4;
const PROBE_DOCUMENTS = 3;

export async function replayReference(inputs: ReferenceInputs): Promise<ReferenceResult> {
  const { documents, log, steps = STEPS } = inputs;
  const isWhole = steps === STEPS;
  const model = modelOf(inputs.source.config);
  const source = withModelNames(inputs.source, model.tensors);
  const arrays = new Map<string, TensorToWrite>();
  const scalars: Record<string, unknown> = {};
  const adapters: ReferenceResult['adapters'] = {};
  const { r, lora_alpha } = inputs.initialConfig;
  const lora: LoraSettings = {
    r,
    lora_alpha,
    lora_dropout: 0,
    target_modules: 'all-linear',
    use_rslora: false,
    use_dora: false,
  };
  const longest = Math.max(...documents.map(({ input_ids }) => input_ids.length));
  const tokensPerMicroBatch = Math.ceil(longest / 32) * 32;
  const pack = (indices: number[]): MicroBatch[] =>
    packDocuments(
      indices.map((i) => ({ inputIds: documents[i].input_ids, labels: documents[i].labels })),
      { tokens: tokensPerMicroBatch, padTokenId: 0, indices },
    );
  const plain = memoryWeightSource(source, model.tensors, 'none');
  const nf4 = memoryWeightSource(source, model.tensors, 'nf4');
  const put = (name: string, shape: number[], data: Float32Array) =>
    arrays.set(name, { dtype: 'F32', shape, data });

  const withEngine = async <T>(
    weights: WeightSource,
    settings: LoraSettings,
    use: (engine: WebGpuEngine) => Promise<T>,
  ): Promise<T> => {
    const engine = await WebGpuEngine.create(inputs.context, {
      weights,
      lora: settings,
      tokensPerMicroBatch,
      gradientCheckpointing: true,
      seed: 0,
      logits: true,
    });
    try {
      return await use(engine);
    } finally {
      engine.dispose();
    }
  };
  const losses = async (engine: WebGpuEngine) => {
    const sums: { loss: number; tokens: number }[] = [];
    for (const i of documents.keys()) {
      const [batch] = pack([i]);
      const loss = (await engine.score(batch)).loss.reduce((a, b) => a + b, 0);
      sums.push({ loss, tokens: batch.supervisedTokens });
    }
    return {
      each: sums.map(({ loss, tokens }) => loss / tokens),
      all: sums.reduce((a, b) => a + b.loss, 0) / sums.reduce((a, b) => a + b.tokens, 0),
    };
  };
  const putLogits = async (engine: WebGpuEngine, name: string, indices: number[]) => {
    const { vocab_size } = model.config;
    for (const i of indices) {
      const length = documents[i].input_ids.length;
      put(
        `${name}.${i}`,
        [length, vocab_size],
        (await engine.logits(pack([i])[0])).slice(0, length * vocab_size),
      );
    }
  };
  const greedy = (engine: WebGpuEngine) => greedyAnswers(engine, documents.slice(0, GREEDY_DOCUMENTS));
  const train = async (engine: WebGpuEngine, start: AdapterTensors) => {
    await engine.loadAdapter(start);
    await engine.loadOptimizer({ expAvg: zeros(start), expAvgSq: zeros(start), steps: 0 });
    const record = {
      loss: [] as number[],
      grad_norm: [] as number[],
      lr: [] as number[],
      step_documents: [] as number[][],
    };
    for (let step = 0; step < steps; step++) {
      const pick = [(2 * step) % documents.length, (2 * step + 1) % documents.length];
      const lr = learningRate(step, SCHEDULE);
      const { loss, gradNorm } = await engine.trainStep({
        microBatches: pack(pick),
        step,
        learningRate: lr,
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      record.loss.push(loss);
      record.grad_norm.push(gradNorm);
      record.lr.push(lr);
      record.step_documents.push(pick);
    }
    if (!isWhole) return record;
    return { ...record, final_eval_loss: (await losses(engine)).each };
  };
  const folder = (tensors: AdapterTensors) =>
    writePeftFolder(tensors, { ...lora, base_model_name_or_path: null });

  await withEngine(plain, lora, async (engine) => {
    log(`engine: ${engine.device}`);
    await putLogits(engine, 'logits', [...documents.keys()]);
    const base = await losses(engine);
    scalars.base_loss = base.each;
    scalars.base_loss_all = base.all;
    scalars.base_greedy = await greedy(engine);
    log('base: done');
    await engine.loadAdapter(
      new Map([...inputs.probe].map(([name, tensor]) => [name.replace(/^probe_[AB]\./, ''), tensor])),
    );
    const { loss, gradients } = await engine.gradients(pack([...documents.keys()].slice(0, PROBE_DOCUMENTS)));
    scalars.probe_loss = loss;
    for (const [name, { shape, data }] of gradients) put(`grad.${name}`, shape, data);
    scalars.probe_greedy = await greedy(engine);
    for (const [name, { shape, data }] of inputs.probe) put(name, shape, data);
    log('probe: done');
    const curve = await train(engine, new Map(inputs.initial));
    scalars.lora = isWhole ? { ...curve, greedy: await greedy(engine) } : curve;
    log('lora: done');
    if (!isWhole) return;
    adapters.adapter_trained = folder(await engine.readAdapter());
    await putLogits(engine, 'lora_logits', [...documents.keys()]);
  });

  for (const { name, shape } of model.tensors
    .filter(({ quantise }) => quantise)
    .sort((a, b) => (a.name < b.name ? -1 : 1)))
    await putNf4(source, name, shape, arrays);
  await withEngine(nf4, lora, async (engine) => {
    await putLogits(engine, 'nf4_logits', [0]);
    scalars.nf4_base_loss = (await losses(engine)).each;
    const curve = await train(engine, new Map(inputs.initialQlora ?? inputs.initial));
    scalars.qlora = isWhole ? { ...curve, greedy: await greedy(engine) } : curve;
    log('qlora: done');
    if (!isWhole) return;
    adapters.adapter_qlora_trained = folder(await engine.readAdapter());
    await putLogits(engine, 'qlora_logits', [...documents.keys()]);
  });
  if (isWhole)
    await withEngine(plain, { ...lora, use_rslora: true }, async (engine) => {
      scalars.rslora = await train(engine, new Map(inputs.initial));
      log('rslora: done');
    });
  if (!(inputs.dora ?? isWhole)) return { arrays, scalars, adapters };
  await withEngine(plain, { ...lora, use_dora: true }, async (engine) => {
    // A and B are the reference's, the magnitudes a fresh adapter's.
    scalars.dora = await train(engine, new Map([...(await engine.readAdapter()), ...inputs.initial]));
    log('dora: done');
  });
  return { arrays, scalars, adapters };
}

function zeros(tensors: AdapterTensors): AdapterTensors {
  return new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
  );
}

/** The parts of one quantised tensor, computed by the importer's own code. */
async function putNf4(
  source: SourceCheckpoint,
  name: string,
  shape: number[],
  arrays: Map<string, TensorToWrite>,
): Promise<void> {
  const tensor = source.tensors.get(name)!;
  const values = toFloat32(
    tensor.dtype,
    new Uint8Array(await tensor.file.blob.slice(tensor.begin, tensor.end).arrayBuffer()),
  );
  const quantizer = new Nf4Quantizer(values.length);
  const whole = quantizer.push(values);
  const { packed: tail, scales } = quantizer.finish();
  const packed = new Uint8Array(whole.length + tail.length);
  packed.set(whole);
  packed.set(tail, whole.length);
  const put = (part: string, dtype: 'F32' | 'U8', partShape: number[], data: Float32Array | Uint8Array) =>
    arrays.set(`nf4.${name}.${part}`, { dtype, shape: partShape, data });
  put('packed', 'U8', [packed.length], packed);
  put('absmax', 'F32', [quantizer.absmax.length], quantizer.absmax);
  put('absmax_q', 'U8', [scales.absmax_q.length], scales.absmax_q);
  put('nested_absmax', 'F32', [scales.nested_absmax.length], scales.nested_absmax);
  put('nested_offset', 'F32', [1], new Float32Array([scales.nested_offset]));
  put('nested_code', 'F32', [256], dynamicMap());
  put('dequant', 'F32', shape, dequantize(packed, scales, values.length));
}
