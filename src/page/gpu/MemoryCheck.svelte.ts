/** What is known of the GPU's memory, and recipes that need less of it. */
import { t } from '../language/messages.svelte.ts';
import type { PlanRequest, RunPlan } from '../../worker/trainer/trainerProtocol.ts';
import { report } from '../../lib/errorLog.ts';
import { largest } from '../../lib/extremes.ts';
import type { Recipe } from '../../training/recipe.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import { reported } from '../errors/reported.ts';
import {
  planRemedies,
  remediesFor,
  verdictOf,
  type MemoryFacts,
  type PlannedRemedy,
  type Remedy,
} from './memoryVerdict.ts';

const KEY = 'finetab.gpuMemoryGiB';

export interface MemorySource {
  plan(request: PlanRequest): Promise<RunPlan>;
  probe(bytes: number): Promise<number | null>;
}

export class MemoryCheck {
  /** The GPU's memory as the person named it. */
  knownGiB = $state<number | null>(Number(keptSetting(KEY)) || null);
  probe = $state.raw<MemoryFacts['probe']>(null);
  probing = $state(false);
  failure = $state<string | null>(null);
  remedies = $state.raw<PlannedRemedy[] | null>(null);
  private generation = 0;

  constructor(private readonly source: MemorySource) {}

  get facts(): MemoryFacts {
    return { known: this.knownGiB === null ? null : this.knownGiB * 2 ** 30, probe: this.probe };
  }

  verdict(needed: number) {
    return verdictOf(needed, this.facts);
  }

  name(gib: number): void {
    this.knownGiB = gib > 0 ? gib : null;
    keepSetting(KEY, this.knownGiB === null ? null : String(gib));
    this.forget();
  }

  async ask(bytes: number): Promise<void> {
    this.probing = true;
    this.failure = null;
    try {
      const granted = await this.source.probe(bytes);
      this.probe = granted === null ? null : { asked: bytes, granted };
      if (granted === null) this.failure = t.gpu.noDriver;
    } catch (error) {
      this.failure = reported(error, 'asking the driver for memory');
    }
    this.probing = false;
    this.forget();
  }

  /** The recipe or the known memory changed: the remedies are no longer true. */
  forget(): void {
    this.generation++;
    this.remedies = null;
  }

  /** @param plan as it is; null where none can be made */
  async findRemedies(request: PlanRequest, plan: RunPlan | null): Promise<void> {
    const mine = ++this.generation;
    const { recipe, trainLengths, longestValidation } = request;
    const longest = largest(trainLengths, longestValidation);
    const found = await planRemedies(
      remediesFor(recipe, trainLengths, longest, plan?.choice?.headMayRound ?? false),
      plan?.memory.total ?? Infinity,
      this.facts,
      async (remedy) => {
        if (mine !== this.generation) return null;
        const changed = changedBy(recipe, remedy);
        const cut = (length: number) => Math.min(length, changed.max_length);
        return this.source
          .plan({
            ...request,
            recipe: changed,
            trainLengths: trainLengths.map(cut),
            longestValidation: cut(longestValidation),
          })
          .catch((error: unknown) => {
            // A remedy that cannot be planned is not offered.
            report(error, `planning the remedy ${remedy.label}`, 'warning');
            return null;
          });
      },
    );
    if (mine === this.generation) this.remedies = found;
  }
}

function changedBy(recipe: Recipe, remedy: Remedy): Recipe {
  const changed = structuredClone(recipe);
  remedy.change(changed);
  return changed;
}
