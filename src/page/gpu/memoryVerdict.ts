/**
 * Whether a run fits in the GPU's memory, and what makes it smaller. Browsers do not say how much memory a
 * GPU has, so a verdict gives its reason.
 */
import type { Recipe } from '../../training/recipe.ts';
import type { RunPlan } from '../../worker/trainer/trainerProtocol.ts';
import { bytes, integer } from '../text.ts';

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

export const VERDICT_TEXT: Record<Verdict, string> = {
  fits: 'Fits',
  tight: 'Tight',
  no: 'Will not fit',
  unknown: 'Not known',
};

/** @returns the verdict and, in a sentence, what it rests on */
export function verdictOf(
  needed: number,
  { known, probe }: MemoryFacts,
): { verdict: Verdict; reason: string } {
  if (probe && probe.granted < probe.asked && needed > probe.granted)
    return {
      verdict: 'no',
      reason: `The driver granted ${bytes(probe.granted)} and no more when it was asked for ${bytes(probe.asked)}.`,
    };
  if (known !== null) {
    const share = needed / known;
    const verdict = share <= FITS_SHARE ? 'fits' : share <= TIGHT_SHARE ? 'tight' : 'no';
    const left = 'windows, other tabs and other programs need the rest';
    return {
      verdict,
      reason: `${Math.round(100 * share)} % of the ${bytes(known)} that you named; ${left}.`,
    };
  }
  if (probe && probe.granted >= needed)
    return {
      verdict: 'fits',
      reason: `The driver granted ${bytes(probe.granted)} when it was asked. Some drivers lend slower system memory without saying so: name the GPU's memory to be sure.`,
    };
  if (needed <= SMALL_BYTES)
    return {
      verdict: 'fits',
      reason: 'Nearly every GPU has that much. Browsers do not say how much this one has.',
    };
  return {
    verdict: 'unknown',
    reason: 'Browsers do not say how much memory a GPU has. Name it, or let the driver be asked.',
  };
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

/** Changes that may make a run smaller. Only a new plan shows whether one does, and by how much. */
export function remediesFor(
  recipe: Recipe,
  lengths: readonly number[] | Uint32Array,
  longest: number,
): Remedy[] {
  const remedies: Remedy[] = [];
  const { training, evaluation, lora } = recipe;
  if (!training.gradient_checkpointing) {
    remedies.push({
      label: 'gradient_checkpointing on',
      cost: 'about a third slower, the same numbers',
      needsData: false,
      change: (changed) => (changed.training.gradient_checkpointing = true),
    });
  }
  if (training.per_device_train_batch_size > 1) {
    const rows = training.per_device_train_batch_size * training.gradient_accumulation_steps;
    remedies.push({
      label: `per_device_train_batch_size 1, gradient_accumulation_steps ${rows}`,
      cost: 'the same steps in smaller pieces, slower',
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
      cost: cut === 0 ? 'cuts no training row' : `cuts ${integer(cut)} of ${integer(lengths.length)} rows`,
      needsData: true,
      change: (changed) => (changed.max_length = limit),
    });
  }
  if (evaluation.predict_with_generate && evaluation.eval_max_samples > 4) {
    remedies.push({
      label: 'eval_max_samples 4',
      cost: 'fewer answers at once',
      needsData: false,
      change: (changed) => (changed.evaluation.eval_max_samples = 4),
    });
  }
  if (lora.r > 8) {
    remedies.push({
      label: `r ${Math.floor(lora.r / 2)}, lora_alpha ${lora.lora_alpha / 2}`,
      cost: 'a smaller adapter',
      needsData: false,
      change: (changed) =>
        Object.assign(changed.lora, { r: Math.floor(lora.r / 2), lora_alpha: lora.lora_alpha / 2 }),
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
