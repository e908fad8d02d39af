/** Runs of rewards (grpo) on a tiny model: what is sampled and learned, the same bytes, a checkpoint. */
import { afterAll, describe, expect, it } from 'vitest';
import { DocumentTable } from '../../src/data/documentTable.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { Checkpoint, RunResult, TrainerEvent } from '../../src/training/runRecord.ts';
import { scoreAnswer } from '../../src/training/scoring/scoreAnswer.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const weights = memoryWeightSource(
  await openCheckpoint(tinyModelFiles({}, TINY_CONFIG)),
  modelOf(TINY_CONFIG).tensors,
  'none',
);
const ids = [
  [3, 5, 7],
  [9, 11, 13, 15],
  [17, 19],
];
const documents = DocumentTable.of(
  'prompts.jsonl',
  ids.map((inputIds, i) => ({
    inputIds,
    labels: inputIds.map(() => -100),
    promptTokens: inputIds.length,
    truncatedTokens: 0,
    line: 1 + i,
  })),
);
const rows = ids.map((_, i) => ({
  file: 'prompts.jsonl',
  line: 1 + i,
  prompt: 'p',
  reference: null,
  record: { line: 1 + i },
}));
/** An answer's text is its ids; those below 64 are wanted. */
const CODE =
  '(answer) => { const ids = answer.split(" "); return ids.filter((id) => id < 64).length / ids.length; }';
const recipeOf = (training: RecipeInput['training']) =>
  parseRecipe({
    method: 'grpo',
    max_length: 32,
    rewards: [{ name: 'low', code: CODE }],
    lora: { r: 8, lora_alpha: 32 },
    training: {
      max_steps: 6,
      num_generations: 4,
      max_completion_length: 6,
      learning_rate: 2e-2,
      lr_scheduler_type: 'constant',
      ...training,
    },
  });

const engines: WebGpuEngine[] = [];
afterAll(() => engines.at(-1)?.dispose());

async function run(
  training: RecipeInput['training'],
  { resume, ...reward }: { resume?: Checkpoint; code?: string; on_error?: 'stop' | 'skip' } = {},
): Promise<{ result: RunResult; events: TrainerEvent[]; saved: Checkpoint[]; faults: string[] }> {
  engines.at(-1)?.dispose();
  const recipe = recipeOf(training);
  Object.assign(recipe.rewards[0], reward);
  const { lora } = recipe;
  const options = { weights, lora, tokensPerMicroBatch: 64, gradientCheckpointing: false, seed: 42 };
  const engine = await WebGpuEngine.create(gpu!, options);
  engines.push(engine);
  const events: TrainerEvent[] = [];
  const saved: Checkpoint[] = [];
  const faults: string[] = [];
  const trainer = new Trainer({
    engine,
    recipe,
    documents,
    padTokenId: 0,
    evaluators: [],
    rewards: {
      rows,
      stopTokenIds: [1],
      decode: (made) => made.join(' '),
      scorer: { score: scoreAnswer },
      onFault: (message) => faults.push(message),
    },
    emit: (event) => events.push(event),
    saveCheckpoint: async (checkpoint) => void saved.push(structuredClone(checkpoint)),
    resume,
  });
  return { result: await trainer.run(), events, saved, faults };
}

describe.skipIf(!gpu)('a run of rewards', () => {
  it('moves towards what is rewarded, reports its answers, and gives the same bytes again', async () => {
    const training = { num_iterations: 2, max_steps: 4, epsilon: 10 } as const;
    const first = await run(training);
    const rewards = first.result.lines.map(({ reward }) => reward);
    // The same answers once more: those that were rewarded have become likelier.
    expect(first.result.lines[1].loss).toBeLessThan(first.result.lines[0].loss - 1e-3);
    const sampled = first.events.filter((event) => event.type === 'sampled');
    expect(sampled.map(({ step }) => step)).toEqual([1, 3]);
    const [{ groups }] = sampled;
    expect(groups.length).toBe(2);
    const all = groups.flatMap(({ answers }) => answers);
    expect(all.reduce((sum, { reward }) => sum + reward!, 0) / 8).toBeCloseTo(rewards[0], 12);
    for (const { answers } of groups)
      expect(Math.abs(answers.reduce((sum, { advantage }) => sum + advantage, 0))).toBeLessThan(1e-9);
    expect((await run(training)).result.adapter).toEqual(first.result.adapter);
  });

  it('clips ratios over several iterations, and resumes in the midst of them to the same bytes', async () => {
    const training = { num_iterations: 3, beta: 0.05, save_steps: 2, epsilon: 0.05 } as const;
    const { result, saved, events } = await run(training);
    expect(events.filter(({ type }) => type === 'sampled').length).toBe(2);
    expect(result.lines[0].kl).toBe(0);
    expect(result.lines[0].clip_ratio).toBe(0);
    expect(result.lines[2].kl).toBeGreaterThan(0);
    expect(result.lines[2].clip_ratio).toBeGreaterThan(0);
    const half = saved.find(({ step }) => step === 2)!;
    expect(half.sampled?.old).not.toBe(null);
    const resumed = await run(training, { resume: half });
    expect(resumed.result.adapter).toEqual(result.adapter);
  });

  it('stops where a reward fails, naming the row, or goes on without it', async () => {
    const code =
      '(answer, reference, { line }) => { if (line === 2) throw new Error("broken"); return answer.length; }';
    const named = /^The reward low on line 2 of prompts.jsonl threw Error: broken/;
    await expect(run({ max_steps: 2 }, { code })).rejects.toThrow(named);
    const { result, faults, events } = await run({ max_steps: 2 }, { code, on_error: 'skip' });
    expect(result.lines.map(({ loss }) => Number.isFinite(loss))).toEqual([true, true]);
    const groups = events.flatMap((event) => (event.type === 'sampled' ? event.groups : []));
    const failed = groups.filter(({ line }) => line === 2);
    expect([groups.length, failed.length]).toEqual([3, 1]);
    expect(faults.length).toBe(4 * failed.length);
    for (const fault of faults) expect(fault).toMatch(named);
    for (const { line, answers } of groups)
      for (const { reward, advantage } of answers)
        if (line === 2) expect([reward, advantage]).toEqual([null, 0]);
        else expect(reward).toBeGreaterThan(0);
  });
});
