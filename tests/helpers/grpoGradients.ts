/** The step of tests/interop/grpo_gradients.py, by our engine: its kinds, adapter, answers and base. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { readArrays } from '../../scripts/lib/readArrays.ts';
import type { PreferenceData } from '../../scripts/lib/replayPreference.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { Float32Tensor } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { answerTokens } from '../../src/training/preference/answerScores.ts';
import { grpoObjective, type GrpoSettings } from '../../src/training/preference/grpoObjective.ts';
import { packSequences, sequenceOf } from '../../src/training/preference/sequences.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { advantagesOf } from '../../src/training/reward/advantages.ts';

const GROUP = 1;
/** The tokens that replayPreference.ts takes for these folders, so that both run the same pipelines. */
const SHAPE = { tokens: 96, padTokenId: 0 };
const KINDS: Record<string, Partial<GrpoSettings>> = {
  grpo_kl: { loss_type: 'grpo', beta: 0.04 },
  dapo_kl: { loss_type: 'dapo', beta: 0.04, use_bias_correction_kl: true, epsilon_high: 0.28 },
  dr_grpo: { loss_type: 'dr_grpo' },
};

export interface GrpoGradients {
  loss: number;
  clipped: number;
  /** null: the kind has none. */
  kl: number | null;
  gradients: ReadonlyMap<string, Float32Tensor>;
}

/** @param folder of ../shared/golden, with preference.json */
export async function grpoGradients(
  context: GpuContext,
  folder: string,
): Promise<Record<string, GrpoGradients>> {
  const source = await openCheckpoint((await filesOf(folder)).filter(({ path }) => !path.includes('/')));
  const { tensors } = modelOf(source.config);
  const probe = await readArrays(join(folder, 'golden.safetensors'), (name) => name.startsWith('probe_'));
  const preference = JSON.parse(await readFile(join(folder, 'preference.json'), 'utf8')) as PreferenceData;
  const { prompt_ids, completions, rewards } = preference.groups[GROUP];
  const sequences = completions.map((completion) => sequenceOf(prompt_ids, completion));
  const microBatches = packSequences(sequences, SHAPE);
  const engine = await WebGpuEngine.create(context, {
    weights: memoryWeightSource(withModelNames(source, tensors), tensors, 'none'),
    lora: parseRecipe({ lora: { r: 8, lora_alpha: 16, lora_dropout: 0 } }).lora,
    tokensPerMicroBatch: SHAPE.tokens,
    gradientCheckpointing: true,
    seed: 0,
  });
  const setAdapter = (scaleOfB: number) =>
    engine.loadAdapter(
      new Map(
        [...probe].map(([name, { shape, data }]) => [
          name.replace(/^probe_[AB]\./, ''),
          { shape, data: name.startsWith('probe_B.') ? data.map((value) => value * scaleOfB) : data },
        ]),
      ),
    );
  const scores = async (adapterScale: number) => {
    const losses: Float32Array[] = [];
    for (const batch of microBatches) losses.push((await engine.score(batch, adapterScale)).loss);
    return answerTokens(microBatches, sequences, losses);
  };
  try {
    await setAdapter(0.5);
    const [old, base] = [await scores(1), await scores(0)];
    await setAdapter(1);
    const made: Record<string, GrpoGradients> = {};
    for (const [kind, given] of Object.entries(KINDS)) {
      const settings: GrpoSettings = {
        beta: 0,
        epsilon: 0.2,
        epsilon_high: null,
        loss_type: 'grpo',
        max_completion_length: 16,
        use_bias_correction_kl: false,
        ...given,
      };
      const objective = grpoObjective({
        settings,
        microBatches,
        sequences,
        advantages: advantagesOf(rewards, rewards.length, kind === 'dr_grpo' ? 'none' : 'group'),
        old,
        reference: settings.beta > 0 ? base : null,
      });
      const { loss, gradients } = await engine.gradients(microBatches, 0, objective);
      const { clip_ratio, kl = null } = objective.figures as { clip_ratio: number; kl?: number };
      made[kind] = { loss, clipped: clip_ratio, kl, gradients };
    }
    return made;
  } finally {
    engine.dispose();
  }
}
