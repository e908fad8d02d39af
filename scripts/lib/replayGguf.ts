/**
 * The calculations of shared/gguf's make_gguf.py: dequantised weights, and by the engine, whose kernels
 * decode the file's own blocks, logits, losses and greedy ids.
 */
import { packDocuments } from '../../src/data/packing.ts';
import type { SourceCheckpoint } from '../../src/formats/checkpoint.ts';
import { toFloat32, type TensorToWrite } from '../../src/formats/safetensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { tensorPieces } from '../../src/import/tensorPieces.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { greedyAnswers, type ReferenceDocument } from './greedyAnswers.ts';

export interface GgufReference {
  arrays: Map<string, TensorToWrite>;
  scalars: {
    base_loss: number[];
    base_loss_all: number;
    base_greedy: { prompt: number[]; new_ids: number[] }[];
  };
}

/** Every tensor of the model as float32, under the Hub's names. */
export async function dequantised(source: SourceCheckpoint): Promise<Map<string, TensorToWrite>> {
  const arrays = new Map<string, TensorToWrite>();
  for (const { name } of modelOf(source.config).tensors) {
    const tensor = source.tensors.get(name)!;
    const data = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
    let at = 0;
    for await (const { dtype, bytes } of tensorPieces(tensor)) {
      const values = toFloat32(dtype, bytes);
      data.set(values, at);
      at += values.length;
    }
    arrays.set(`dequant.${name}`, { dtype: 'F32', shape: tensor.shape, data });
  }
  return arrays;
}

/** `base_greedy` has one entry a document: what follows its prompt, the tokens that are not supervised. */
export async function replayGguf(
  context: GpuContext,
  source: SourceCheckpoint,
  documents: readonly ReferenceDocument[],
): Promise<GgufReference> {
  const model = modelOf(source.config);
  const arrays = await dequantised(source);
  const longest = documents.reduce((most, { input_ids }) => Math.max(most, input_ids.length), 0);
  const tokens = Math.ceil(longest / 32) * 32;
  const packed = documents.map(
    ({ input_ids, labels }) => packDocuments([{ inputIds: input_ids, labels }], { tokens, padTokenId: 0 })[0],
  );
  const engine = await WebGpuEngine.create(context, {
    weights: memoryWeightSource(source, model.tensors, 'gguf'),
    lora: {
      r: 1,
      lora_alpha: 1,
      lora_dropout: 0,
      target_modules: 'all-linear',
      use_rslora: false,
      use_dora: false,
    },
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: true,
    seed: 0,
    logits: true,
  });
  try {
    const sums: { loss: number; tokens: number }[] = [];
    for (const [i, batch] of packed.entries()) {
      const { length } = documents[i].input_ids;
      const { vocab_size } = model.config;
      const data = (await engine.logits(batch)).slice(0, length * vocab_size);
      arrays.set(`logits.${i}`, { dtype: 'F32', shape: [length, vocab_size], data });
      const { loss } = await engine.score(batch);
      sums.push({ loss: loss.reduce((a, b) => a + b, 0), tokens: batch.supervisedTokens });
    }
    const total = sums.reduce((sum, { loss, tokens: count }) => [sum[0] + loss, sum[1] + count], [0, 0]);
    return {
      arrays,
      scalars: {
        base_loss: sums.map(({ loss, tokens: count }) => loss / count),
        base_loss_all: total[0] / total[1],
        base_greedy: await greedyAnswers(engine, documents),
      },
    };
  } finally {
    engine.dispose();
  }
}
