/**
 * Our engine against the runs of TRL's KTO and GRPO trainers that trl_trainers.py wrote: the same rows, and
 * the same answers in place of sampled ones, through the classes that a run of the page uses.
 *
 *     node scripts/run.mjs --gpu tests/interop/trlTrainers.ts GOLDEN_FOLDER OUT.json
 *
 * Prints how far losses and gradient norms are; fails beyond 1e-3, the bound of golden_preference.json.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import { readArrays } from '../../scripts/lib/readArrays.ts';
import type { PreferenceData } from '../../scripts/lib/replayPreference.ts';
import { DocumentTable } from '../../src/data/documentTable.ts';
import type { StepInput } from '../../src/engine/engine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { preferenceSettings } from '../../src/training/preference/method.ts';
import { PreferenceSteps } from '../../src/training/preference/preferenceSteps.ts';
import { sequenceOf } from '../../src/training/preference/sequences.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import { RewardSteps } from '../../src/training/reward/rewardSteps.ts';

interface Run {
  settings: Record<string, unknown>;
  loss: number[];
  grad_norm: number[];
}

const BOUND = 1e-3;
const shape = { tokens: 96, padTokenId: 0 };

export async function main([folder, file]: string[]): Promise<number> {
  const json = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T;
  const { runs, completion_length } = await json<{ completion_length: number; runs: Record<string, Run> }>(
    file,
  );
  const data = await json<PreferenceData>(join(folder, 'preference.json'));
  const source = await openCheckpoint((await filesOf(folder)).filter(({ path }) => !path.includes('/')));
  const { tensors } = modelOf(source.config);
  const initial = new Map(await readArrays(join(folder, 'adapter_init', 'adapter_model.safetensors')));
  const zeros = new Map(
    [...initial].map(
      ([
        name,
        {
          shape: of,
          data: { length },
        },
      ]) => [name, { shape: of, data: new Float32Array(length) }],
    ),
  );
  const engine = await WebGpuEngine.create(await openNodeGpu(), {
    weights: memoryWeightSource(withModelNames(source, tensors), tensors, 'none'),
    lora: parseRecipe({ lora: { r: 8, lora_alpha: 16, lora_dropout: 0 } }).lora,
    tokensPerMicroBatch: shape.tokens,
    gradientCheckpointing: true,
    seed: 0,
  });

  const labelled = (training: RecipeInput['training']) => {
    const rows = data.pairs.flatMap((pair, k) => {
      const answers = [
        { ids: pair.rejected_ids, wanted: 0 },
        { ids: pair.chosen_ids, wanted: 1 },
      ];
      return (k % 2 ? answers.toReversed() : answers).map(({ ids, wanted }) => ({
        ...sequenceOf(pair.prompt_ids, ids),
        promptTokens: pair.prompt_ids.length,
        wanted,
      }));
    });
    const documents = DocumentTable.of(
      'rows.jsonl',
      rows.map((row, i) => ({ ...row, truncatedTokens: 0, line: 1 + i })),
    );
    const steps = new PreferenceSteps(
      { documents, labels: Uint8Array.from(rows, ({ wanted }) => wanted) },
      {
        settings: preferenceSettings(parseRecipe({ method: 'kto', training }))!,
        examplesPerMean: 4,
        shape,
        score: (batch, adapterScale) => engine.score(batch, adapterScale),
      },
    );
    return {
      prepare: () => steps.prepare(() => undefined),
      make: (step: number) =>
        steps.make(Uint32Array.from({ length: 4 }, (_, i) => (4 * step + i) % rows.length)),
    };
  };
  const grouped = (training: RecipeInput['training']) => {
    const reward = (ids: string, row: Record<string, unknown>) => {
      const { completions, rewards } = row as unknown as PreferenceData['groups'][number];
      return rewards[completions.findIndex((completion) => completion.join(' ') === ids)];
    };
    const steps = new RewardSteps({
      engine: new Proxy(engine, {
        get: (of, key) =>
          key === 'generate'
            ? (prompts: number[][]) =>
                Promise.resolve(
                  prompts.map(
                    (prompt, i) =>
                      data.groups.find(({ prompt_ids }) => prompt_ids.join() === prompt.join())!.completions[
                        i % 4
                      ],
                  ),
                )
            : (Reflect.get(of, key) as unknown),
      }),
      recipe: parseRecipe({
        method: 'grpo',
        max_length: 64,
        rewards: [{ name: 'given', code: '() => 0' }],
        training: { ...training, num_generations: 4, max_completion_length: completion_length },
      }),
      rows: data.groups.map((group, i) => ({
        file: 'rows.jsonl',
        line: 1 + i,
        prompt: '',
        reference: null,
        record: group,
      })),
      promptOf: (row) => data.groups[row].prompt_ids,
      stopTokenIds: [2],
      decode: (ids) => ids.join(' '),
      scorer: {
        score: (_, { answer, row }) => Promise.resolve(reward(answer, row as Record<string, unknown>)),
      },
      onFault: () => undefined,
      onSampled: () => undefined,
      shape,
      rowsOf: (number) => [number % data.groups.length],
    });
    return { prepare: () => Promise.resolve(), make: (step: number) => steps.make(step) };
  };

  let isWithin = true;
  for (const [kind, { settings, loss, grad_norm }] of Object.entries(runs)) {
    await engine.loadAdapter(initial);
    await engine.loadOptimizer({ expAvg: zeros, expAvgSq: zeros, steps: 0 });
    const { num_iterations } = settings;
    const made = num_iterations ? grouped({ use_bias_correction_kl: true, ...settings }) : labelled(settings);
    await made.prepare();
    let [worst, norms] = [0, 0];
    for (const step of loss.keys()) {
      const { microBatches, objective } = await made.make(step);
      const input: StepInput = {
        microBatches,
        objective,
        step,
        learningRate: 5e-3,
        weightDecay: 0,
        maxGradNorm: 1,
      };
      const mine = await engine.trainStep(input);
      worst = Math.max(worst, Math.abs(mine.loss - loss[step]) / Math.max(1, Math.abs(loss[step])));
      // A step whose every ratio is clipped has no gradient.
      norms = Math.max(norms, Math.abs(mine.gradNorm - grad_norm[step]) / (grad_norm[step] || 1));
    }
    console.log(
      `${kind}: losses within ${worst.toExponential(1)}, gradient norms within ${norms.toExponential(1)} of TRL's`,
    );
    isWithin &&= worst <= BOUND && norms <= BOUND;
  }
  engine.dispose();
  return isWithin ? 0 : 1;
}
