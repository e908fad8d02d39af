/**
 * Trains the demo model for 30 steps and writes the folder of its 20th, with the losses that follow, for
 * cluster.py: `node scripts/run.mjs --gpu tests/interop/cluster.ts OUT [lora|rslora|dora] [nf4|none]`.
 */
import { createWriteStream, openAsBlob } from 'node:fs';

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { documentLines } from '../../src/data/documentLines.ts';
import { buildDataset } from '../../src/data/documents.ts';
import { openJoinedRows } from '../../src/data/rows/joinedRows.ts';
import { ChatTokenizer, filesOfModel } from '../../src/data/tokenizer/chatTokenizer.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { clusterFiles } from '../../src/export/cluster/clusterFiles.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { Checkpoint } from '../../src/training/runRecord.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';

const AT = 20;
const STEPS = 30;

export async function main([out, kind = 'lora', quantization = 'nf4']: string[]): Promise<number> {
  const checkpoint = await openCheckpoint(await filesOf('public/demo'));
  const { texts, config } = checkpoint;
  const recipe = parseRecipe({
    model: 'demo',
    train_file: 'pirate.jsonl',
    validation_files: ['manners.val.jsonl'],
    quantization,
    max_length: 128,
    lora: { r: 8, lora_alpha: 16, use_rslora: kind === 'rslora', use_dora: kind === 'dora' },
    training: {
      max_steps: STEPS,
      per_device_train_batch_size: 2,
      gradient_accumulation_steps: 2,
      learning_rate: 2e-3,
      loraplus_lr_ratio: 2,
      weight_decay: 0.01,
      save_steps: AT,
    },
    evaluation: { eval_steps: STEPS, eval_on_start: false, load_best_model_at_end: false },
  });
  const tokenizer = new ChatTokenizer(filesOfModel({ config, texts }));
  const rowsOf = async (name: string) => {
    const parts = [{ name, blob: await openAsBlob(join('public/demo', name)) }];
    const whole = { leftOut: [], valSetSize: 0, seed: 0, side: 'both' as const };
    const { documents } = await buildDataset(name, await openJoinedRows(parts, {}, whole), tokenizer, {
      systemPrompt: recipe.system_prompt,
      maxLength: recipe.max_length,
      dateString: recipe.date_string,
      maskHistory: false,
      preferences: false,
    });
    return documents;
  };
  const documents = await rowsOf('pirate.jsonl');
  const weights = memoryWeightSource(checkpoint, modelOf(config).tensors, recipe.quantization);
  const engine = await WebGpuEngine.create(await openNodeGpu(), {
    weights,
    lora: recipe.lora,
    tokensPerMicroBatch: 128,
    gradientCheckpointing: false,
    seed: recipe.training.seed,
  });
  const saved: Checkpoint[] = [];
  const { lines } = await new Trainer({
    engine,
    recipe,
    documents,
    padTokenId: tokenizer.padTokenId,
    evaluators: [],
    emit: () => undefined,
    saveCheckpoint: async (state) => void saved.push(state),
  }).run();
  const state = saved.find(({ step }) => step === AT)!;
  const files = clusterFiles({
    adapter: {
      settings: { ...recipe.lora, base_model_name_or_path: null },
      evened: false,
      tensors: state.adapter,
      modules: [],
    },
    cluster: {
      recipe,
      state,
      totalSteps: STEPS,
      data: new Map([
        ['train.jsonl', documentLines(documents)],
        ['manners.val.jsonl', documentLines(await rowsOf('manners.val.jsonl'))],
      ]),
    },
    texts,
    tokenizer,
  });
  for (const { path, pieces } of files) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await pipeline(Readable.from(pieces()), createWriteStream(join(out, path)));
  }
  const losses = lines
    .filter(({ step, loss }) => step > AT && loss !== undefined)
    .map(({ step, loss }) => ({ step, loss }));
  await writeFile(join(out, 'page_losses.json'), JSON.stringify(losses, null, 2));
  console.log(`${out}: step ${AT}, ${losses.length} losses after it, ${documents.length} rows`);
  return 0;
}
