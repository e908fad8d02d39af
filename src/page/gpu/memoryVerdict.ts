/**
 * Whether a run fits in the GPU's memory, and what makes it smaller. Browsers do not say how much memory a
 * GPU has, so a verdict gives its reason.
 */
import { t } from '../language/messages.svelte.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { RunPlan } from '../../worker/trainer/trainerProtocol.ts';
export type Verdict = 'fits' | 'tight' | 'no' | 'unknown';

/** What is known of the GPU's memory. */
export interface MemoryFacts {
  /** Bytes, as the person named it. */
  known: number | null;
  /** What the driver granted when it was asked. */
  probe: { asked: number; granted: number } | null;
}

/**
 * A run fits in up to this share of the memory that the person named, and does not fit above the second: the
 * desktop needs the rest.
 */
const FITS_SHARE = 0.8;
const TIGHT_SHARE = 0.95;
/** Nearly every GPU that browsers offer WebGPU on has this much. */
const SMALL_BYTES = 2 ** 30;

/** @returns the verdict and, in a sentence, what it rests on */
export function verdictOf(
  needed: number,
  { known, probe }: MemoryFacts,
): { verdict: Verdict; reason: string } {
  if (probe && probe.granted < probe.asked && needed > probe.granted)
    return {
      verdict: 'no',
      reason: t.gpu.grantedLess(probe.granted, probe.asked),
    };
  if (known !== null) {
    const share = needed / known;
    const verdict = share <= FITS_SHARE ? 'fits' : share <= TIGHT_SHARE ? 'tight' : 'no';
    return { verdict, reason: t.gpu.shareOfNamed(share, known) };
  }
  if (probe && probe.granted >= needed)
    return {
      verdict: 'fits',
      reason: t.gpu.granted(probe.granted),
    };
  if (needed <= SMALL_BYTES) return { verdict: 'fits', reason: t.gpu.nearlyEvery };
  return { verdict: 'unknown', reason: t.gpu.unknownMemory };
}

export interface Remedy {
  /** What is changed, by the recipe's keys. */
  label: string;
  /** What it costs. */
  cost: string;
  change: (recipe: Recipe) => void;
  /** Whether rows must be read and cut again. */
  needsData: boolean;
}

/**
 * Changes that may make a run smaller. Only a new plan shows whether one does, and by how much.
 * @param headMayRound whether the model has an output head that may be kept in 8 bits
 */
export function remediesFor(
  recipe: Recipe,
  lengths: readonly number[] | Uint32Array,
  longest: number,
  headMayRound: boolean,
): Remedy[] {
  const remedies: Remedy[] = [];
  const { training, evaluation, lora } = recipe;
  if (!training.gradient_checkpointing) {
    remedies.push({
      label: 'gradient_checkpointing true',
      cost: t.gpu.costs.checkpointing,
      needsData: false,
      change: (changed) => (changed.training.gradient_checkpointing = true),
    });
  }
  if (training.per_device_train_batch_size > 1) {
    const rows = training.per_device_train_batch_size * training.gradient_accumulation_steps;
    remedies.push({
      label: `per_device_train_batch_size 1, gradient_accumulation_steps ${rows}`,
      cost: t.gpu.costs.smallerPieces,
      needsData: false,
      change: (changed) =>
        Object.assign(changed.training, {
          per_device_train_batch_size: 1,
          gradient_accumulation_steps: rows,
        }),
    });
  }
  for (let limit = 2 ** Math.floor(Math.log2(Math.max(1, longest - 1))); limit >= 64; limit /= 2) {
    const cut = lengths.filter((length) => length > limit).length;
    remedies.push({
      label: `max_length ${limit}`,
      cost: t.gpu.costs.cuts(cut, lengths.length),
      needsData: true,
      change: (changed) => (changed.max_length = limit),
    });
  }
  if (evaluation.predict_with_generate && evaluation.eval_max_samples > 4) {
    remedies.push({
      label: 'eval_max_samples 4',
      cost: t.gpu.costs.fewerAnswers,
      needsData: false,
      change: (changed) => (changed.evaluation.eval_max_samples = 4),
    });
  }
  if (lora.r > 8) {
    remedies.push({
      label: `r ${Math.floor(lora.r / 2)}, lora_alpha ${lora.lora_alpha / 2}`,
      cost: t.gpu.costs.smallerAdapter,
      needsData: false,
      change: (changed) =>
        Object.assign(changed.lora, { r: Math.floor(lora.r / 2), lora_alpha: lora.lora_alpha / 2 }),
    });
  }
  if (headMayRound) {
    remedies.push({
      label: 'head_dtype q8_0',
      cost: t.gpu.costs.roundedHead,
      needsData: false,
      change: (changed) => (changed.training.head_dtype = 'q8_0'),
    });
  }
  return remedies;
}

export interface PlannedRemedy extends Remedy {
  total: number;
  verdict: Verdict;
}

/** Plans each remedy; those that help, at most two lengths: the longest that fits first. */
export async function planRemedies(
  remedies: readonly Remedy[],
  before: number,
  facts: MemoryFacts,
  plan: (remedy: Remedy) => Promise<RunPlan | null>,
): Promise<PlannedRemedy[]> {
  const planned: PlannedRemedy[] = [];
  let lengths = 0;
  for (const remedy of remedies) {
    const isLength = remedy.label.startsWith('max_length');
    if (isLength && lengths === 2) continue;
    const made = await plan(remedy);
    if (!made || !(made.memory.total < 0.97 * before)) continue;
    const { verdict } = verdictOf(made.memory.total, facts);
    if (isLength && verdict === 'no') continue;
    if (isLength) lengths++;
    planned.push({ ...remedy, total: made.memory.total, verdict });
  }
  return planned;
}
