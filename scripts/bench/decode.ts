/**
 * Times decoding: how long a token takes, and how fast the weights are read for it compared with a plain
 * copy.
 */
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { tensorPartBytes, type TensorInfo } from '../../src/formats/tensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { busyMs } from '../../src/plan/profile.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { LORA, median } from '../../src/engine/pipelinedSteps.ts';
import { warmUp, type BenchHost, type BenchOptions } from './measuring.ts';

export interface DecodeBench {
  model: string;
  level: KernelLevel;
  /** Sequences generated at once. */
  slots: number;
  /**
   * Milliseconds from one token to the next of all slots together, and the GPU's share of it; null without
   * timestamps.
   */
  tokenMs: number;
  gpuMs: number | null;
  /** Bytes of the base model's weights that a token reads: every layer and the head once. */
  weightBytes: number;
  /** Of the weights, over the GPU's time where that is known. */
  bytesPerSecond: number;
}

const MODELS = { tiny: ['2 layers of width 32'], real: ['SmolLM2-135M', 'Llama-3.2-1B'] };
/** From few to many: the KV cache is planned again for more slots. */
const SLOTS = [1, 8];
const PROMPT = 64;
const NEW_TOKENS = 33;
/** How often each is measured; the median counts. */
const RUNS = 3;

export async function benchDecode(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<DecodeBench[]> {
  const rows: DecodeBench[] = [];
  // The levels differ little here, so by default only the first and the last are measured.
  const levels = options.levels
    ? context.levels.filter((each) => options.levels!.includes(each))
    : [...new Set([context.levels[0], context.levels.at(-1)!])];
  for (const model of options.models ?? MODELS[options.size]) {
    for (const level of levels) {
      context.settings.level = level;
      const weights = randomModel(SHAPES[model]);
      const weightBytes = bytesOfToken(SHAPES[model], weights.tensors);
      const most = Math.max(...SLOTS);
      const engine = await WebGpuEngine.create(context, {
        weights,
        lora: LORA,
        tokensPerMicroBatch: PROMPT * most,
        gradientCheckpointing: false,
        seed: 0,
        training: false,
      });
      for (const slots of SLOTS) {
        const prompts = Array.from({ length: slots }, (_, slot) =>
          Array.from({ length: PROMPT }, (_, i) => (i * 37 + slot) % 100),
        );
        const generate = async (maxNewTokens: number) => {
          const started = performance.now();
          await engine.generate(prompts, {
            maxNewTokens,
            stopTokenIds: [],
            doSample: false,
            temperature: 1,
            topP: 1,
            seed: 0,
          });
          return performance.now() - started;
        };
        // The first call plans the KV cache for those that follow.
        await warmUp(() => generate(NEW_TOKENS));
        // The difference leaves out the prompts and the first token, which are the same in both.
        const [first, all]: number[][] = [[], []];
        for (let run = 0; run < RUNS; run++) {
          first.push(await generate(1));
          all.push(await generate(NEW_TOKENS));
        }
        const tokenMs = (median(all) - median(first)) / (NEW_TOKENS - 1);
        let gpuMs: number | null = null;
        if (context.device.features.has('timestamp-query')) {
          const took = async (tokens: number) => busyMs(await engine.timing.passes(() => generate(tokens)));
          gpuMs = ((await took(NEW_TOKENS)) - (await took(1))) / (NEW_TOKENS - 1);
        }
        const row = {
          model,
          level,
          slots,
          tokenMs,
          gpuMs,
          weightBytes,
          bytesPerSecond: (weightBytes / (gpuMs ?? tokenMs)) * 1000,
        };
        rows.push(row);
        const onGpu = gpuMs === null ? '' : ` (GPU ${gpuMs.toFixed(2)})`;
        host.log(
          `${model} ${level}, ${slots} at once: a token ${tokenMs.toFixed(2)} ms${onGpu}, weights at ${(row.bytesPerSecond / 1e9).toFixed(0)} GB/s`,
        );
      }
      engine.dispose();
    }
  }
  context.settings.level = 'plain';
  return rows;
}

/** Of an embedding table that is not the head only one row is read, so it is left out. */
function bytesOfToken(config: Record<string, unknown>, tensors: ReadonlyMap<string, TensorInfo>): number {
  const { headWeight } = modelOf(config);
  const read = [...tensors.values()].filter(({ name }) => name === headWeight || !/embed_tokens/.test(name));
  return read.flatMap((info) => Object.values(tensorPartBytes(info))).reduce((sum, bytes) => sum + bytes, 0);
}
