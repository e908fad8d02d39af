/**
 * Greedy answers of our own engine to prompts that are given as ids, as JSON on the last line: what
 * llama_cpp.py holds beside llama.cpp's.
 *
 *     node scripts/run.mjs --gpu tests/interop/ownText.ts BASE nf4|none|gguf PROMPTS.json STEPS STOP_ID
 *         [ADAPTER]
 *
 * BASE: a model's folder or a .gguf. ADAPTER: a PEFT folder, or a GGUF LoRA adapter.
 */
import { openAsBlob, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import type { Quantization } from '../../src/import/planTensors.ts';
import { readAdapter } from '../../src/import/readAdapter.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { adapterSet } from '../../src/player/adapterSet.ts';

const TOKENS_OF_PREFILL = 128;

export async function main([base, quantization, prompts, steps, stop, adapter]: string[]): Promise<number> {
  const source = await openCheckpoint(await filesAt(base));
  const weights = memoryWeightSource(source, modelOf(source.config).tensors, quantization as Quantization);
  const adapters = new Map(
    adapter ? [[adapter, await readAdapter(await filesAt(adapter), source.config)]] : [],
  );
  const { lora, tensors } = await adapterSet(adapters, weights, base);
  const engine = await WebGpuEngine.create(await openNodeGpu(), {
    weights,
    lora,
    tokensPerMicroBatch: TOKENS_OF_PREFILL,
    gradientCheckpointing: true,
    training: false,
    seed: 0,
  });
  if (adapter) await engine.loadAdapter(tensors.get(adapter)!);
  const asked = JSON.parse(readFileSync(prompts, 'utf8')) as number[][];
  const answers = await engine.generate(asked, {
    maxNewTokens: Number(steps),
    stopTokenIds: [Number(stop)],
    doSample: false,
    temperature: 1,
    topP: 1,
    seed: 0,
    adapterScales: asked.map(() => (adapter ? 1 : 0)),
  });
  engine.dispose();
  console.log(JSON.stringify(answers));
  return 0;
}

async function filesAt(path: string): Promise<NamedFile[]> {
  if (!statSync(path).isDirectory()) return [{ path: basename(path), blob: await openAsBlob(path) }];
  return (await filesOf(path)).filter((file) => !file.path.includes('/'));
}
