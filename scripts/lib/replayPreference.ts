/** The calculations of shared/golden's make_preference.py, done by the engine. */
import type { SourceCheckpoint } from '../../src/formats/checkpoint.ts';
import type { Float32Tensor } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import {
  answerScores,
  answerTokens,
  type ScoredSequence,
} from '../../src/training/preference/answerScores.ts';
import { grpoObjective } from '../../src/training/preference/grpoObjective.ts';
import { advantagesOf } from '../../src/training/reward/advantages.ts';
import { isReferenceFree, type PairMethod } from '../../src/training/preference/pairLosses.ts';
import {
  pairObjective,
  type PreferenceObjective,
} from '../../src/training/preference/preferenceObjective.ts';
import { isScoredWhole, packSequences, sequenceOf } from '../../src/training/preference/sequences.ts';

/** preference.json of a golden folder. */
export interface PreferenceData {
  pairs: { prompt_ids: number[]; chosen_ids: number[]; rejected_ids: number[] }[];
  groups: { prompt_ids: number[]; completions: number[][]; rewards: number[] }[];
}

export interface PreferenceInputs {
  context: GpuContext;
  source: SourceCheckpoint;
  initial: ReadonlyMap<string, Float32Tensor>;
  /** adapter_init's adapter_config.json. */
  initialConfig: { r: number; lora_alpha: number };
  data: PreferenceData;
  /** Only so many steps of each kind; absent: all. */
  steps?: number;
  log(line: string): void;
}

type PairSettings = { beta: number; label_smoothing?: number; simpo_gamma?: number };

/** What make_preference.py trains, by its names. */
const PAIR_KINDS: Record<string, { method: PairMethod; settings: PairSettings }> = {
  dpo: { method: 'dpo', settings: { beta: 0.1 } },
  cdpo: { method: 'dpo', settings: { beta: 0.1, label_smoothing: 0.1 } },
  ipo: { method: 'ipo', settings: { beta: 0.1 } },
  simpo: { method: 'simpo', settings: { beta: 2, simpo_gamma: 0.5 } },
  orpo: { method: 'orpo', settings: { beta: 0.1 } },
};
const GROUP_KINDS: Record<string, { beta: number; scale_rewards: boolean }> = {
  grpo: { beta: 0, scale_rewards: true },
  grpo_kl: { beta: 0.04, scale_rewards: true },
  dr_grpo: { beta: 0, scale_rewards: false },
};
const PAIR_STEPS = 20;
const GROUP_STEPS = 10;
const LEARNING_RATE = 5e-3;

/** @returns what golden_preference.json holds, by kind */
export async function replayPreference(inputs: PreferenceInputs): Promise<Record<string, unknown>> {
  const { data, log, steps = PAIR_STEPS } = inputs;
  const model = modelOf(inputs.source.config);
  const sequences = data.pairs.flatMap(({ prompt_ids, chosen_ids, rejected_ids }) => [
    sequenceOf(prompt_ids, chosen_ids),
    sequenceOf(prompt_ids, rejected_ids),
  ]);
  const groups = data.groups.map(({ prompt_ids, completions }) =>
    completions.map((completion) => sequenceOf(prompt_ids, completion)),
  );
  const longest = Math.max(...[...sequences, ...groups.flat()].map(({ inputIds }) => inputIds.length));
  const shape = { tokens: Math.ceil((2 * longest) / 32) * 32, padTokenId: 0 };
  const { r, lora_alpha } = inputs.initialConfig;
  const engine = await WebGpuEngine.create(inputs.context, {
    weights: memoryWeightSource(withModelNames(inputs.source, model.tensors), model.tensors, 'none'),
    lora: {
      r,
      lora_alpha,
      lora_dropout: 0,
      target_modules: 'all-linear',
      use_rslora: false,
      use_dora: false,
    },
    tokensPerMicroBatch: shape.tokens,
    gradientCheckpointing: true,
    seed: 0,
  });
  const zeros = new Map(
    [...inputs.initial].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: new Float32Array(tensor.data.length) },
    ]),
  );
  const restart = async () => {
    await engine.loadAdapter(new Map(inputs.initial));
    await engine.loadOptimizer({ expAvg: zeros, expAvgSq: zeros, steps: 0 });
  };
  const scored = async <T>(
    of: readonly ScoredSequence[],
    adapterScale: number,
    use: (
      batches: ReturnType<typeof packSequences>,
      sequences: readonly ScoredSequence[],
      losses: Float32Array[],
    ) => T,
  ): Promise<T> => {
    const batches = packSequences(of, shape);
    const losses: Float32Array[] = [];
    for (const batch of batches) losses.push((await engine.score(batch, adapterScale)).loss);
    return use(batches, of, losses);
  };
  const step = (
    number: number,
    microBatches: ReturnType<typeof packSequences>,
    objective: PreferenceObjective,
  ) =>
    engine.trainStep({
      microBatches,
      objective,
      step: number,
      learningRate: LEARNING_RATE,
      weightDecay: 0,
      maxGradNorm: 1,
    });
  const result: Record<string, unknown> = {};
  try {
    await restart();
    const reference = (await scored(sequences, 0, answerScores)).map(({ sum }) => sum);
    for (const [kind, { method, settings }] of Object.entries(PAIR_KINDS)) {
      await restart();
      const record = {
        settings,
        loss: [] as number[],
        grad_norm: [] as number[],
        step_pairs: [] as number[][],
      };
      for (let number = 0; number < Math.min(steps, PAIR_STEPS); number++) {
        const pick = [(2 * number) % data.pairs.length, (2 * number + 1) % data.pairs.length];
        const indices = pick.flatMap((pair) => [2 * pair, 2 * pair + 1]);
        const some = indices.map((i) => sequences[i]);
        const microBatches = packSequences(some, shape, isScoredWhole(method));
        const { loss, gradNorm } = await step(
          number,
          microBatches,
          pairObjective({
            method,
            settings: { label_smoothing: 0, simpo_gamma: 0, ...settings },
            microBatches,
            sequences: some,
            reference: isReferenceFree(method) ? null : indices.map((i) => reference[i]),
            pairsPerMean: pick.length,
          }),
        );
        record.loss.push(loss);
        record.grad_norm.push(gradNorm);
        record.step_pairs.push(pick);
      }
      const rewards = (await scored(sequences, 1, answerScores)).map(
        ({ sum }, i) => settings.beta * (sum - reference[i]),
      );
      result[kind] = {
        ...record,
        rewards_chosen: rewards.filter((_, i) => i % 2 === 0),
        rewards_rejected: rewards.filter((_, i) => i % 2 === 1),
      };
      log(`${kind}: done`);
    }
    for (const [kind, settings] of Object.entries(GROUP_KINDS)) {
      await restart();
      const record = {
        settings,
        loss: [] as number[],
        kl: [] as number[],
        grad_norm: [] as number[],
        step_group: [] as number[],
      };
      for (let number = 0; number < Math.min(steps, GROUP_STEPS); number++) {
        const group = number % groups.length;
        const microBatches = packSequences(groups[group], shape);
        const objective = grpoObjective({
          settings: {
            beta: settings.beta,
            epsilon: 0.2,
            epsilon_high: null,
            loss_type: 'bnpo',
            max_completion_length: 1,
            use_bias_correction_kl: false,
          },
          microBatches,
          sequences: groups[group],
          advantages: advantagesOf(
            data.groups[group].rewards,
            data.groups[group].rewards.length,
            settings.scale_rewards ? 'group' : 'none',
          ),
          old: null,
          reference: await scored(groups[group], 0, answerTokens),
        });
        const { loss, gradNorm } = await step(number, microBatches, objective);
        record.loss.push(loss);
        record.kl.push(objective.figures.kl);
        record.grad_norm.push(gradNorm);
        record.step_group.push(group);
      }
      result[kind] = record;
      log(`${kind}: done`);
    }
    return result;
  } finally {
    engine.dispose();
  }
}
