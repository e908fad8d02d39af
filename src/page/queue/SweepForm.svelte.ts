/** A sweep as it is put together: its keys and values, how many runs they make, and what these will need. */
import { t } from '../language/messages.svelte.ts';
import { largest } from '../../lib/extremes.ts';
import { messageOf } from '../../lib/errors.ts';
import { sweepRuns, sweepValues, type SweepRun } from '../../training/sweep/sweepAxes.ts';
import type { Recipe } from '../../training/recipe.ts';
import { reported } from '../errors/reported.ts';
import { titleOf } from '../history/History.svelte.ts';
import type { RunQueue } from './RunQueue.svelte.ts';
import { knownSpeed, secondsBy } from './timeEstimate.ts';

export interface SweepNeeds {
  /** Of the run that needs most. */
  memoryBytes: number;
  totalSteps: number;
  /** null where no run with this model and these rows was kept. */
  seconds: number | null;
  /** The run whose speed was taken, in words. */
  speedOf: string | null;
}

export class SweepForm {
  axes = $state<{ key: string; text: string }[]>([]);
  needs = $state.raw<SweepNeeds | null>(null);
  /** How many runs are planned so far; null where none are being planned. */
  planned = $state<number | null>(null);
  /** Why a run cannot be planned. */
  error = $state<string | null>(null);
  /** Grows with every change: plans for an earlier form are dropped. */
  private generation = 0;

  constructor(private readonly queue: RunQueue) {
    const { learning_rate } = queue.host.recipe.training;
    const { r } = queue.host.recipe.lora;
    this.axes = [
      { key: 'training.learning_rate', text: `${rounded(learning_rate / 2)}, ${learning_rate}` },
      { key: 'lora.r', text: `${r}, ${2 * r}` },
    ];
  }

  /** The runs that it makes, or why it makes none. */
  get runs(): SweepRun[] | string {
    try {
      const axes = this.axes.map(({ key, text }) => ({ key, values: sweepValues(key, text) }));
      return axes.length === 0 ? t.queue.addSetting : sweepRuns(this.queue.recipeNow(), axes);
    } catch (error) {
      return t.errors.shown(messageOf(error));
    }
  }

  /** Whether the rank changes and lora_alpha does not: the adapter scale then differs too. */
  get changesScale(): boolean {
    const keys = this.axes.map(({ key }) => key);
    return keys.includes('lora.r') && !keys.includes('lora.lora_alpha');
  }

  addAxis(key: string): void {
    this.axes.push({ key, text: '' });
  }

  removeAxis(at: number): void {
    this.axes.splice(at, 1);
  }

  /** Plans every run: the memory of the largest, and the time of all. */
  async plan(): Promise<void> {
    const mine = ++this.generation;
    const { host } = this.queue;
    const { runs } = this;
    const { model } = host.library;
    const { train, longestValidation } = host.data;
    this.needs = null;
    this.error = null;
    this.planned = null;
    // The trainer has one run at a time to think of.
    const isRunning = host.runs.run?.active ?? false;
    if (isRunning || typeof runs === 'string' || !model || !train?.report) return;
    const trainLengths = train.report.lengths;
    this.planned = 0;
    const plans: { recipe: Recipe; totalSteps: number; bytes: number }[] = [];
    try {
      for (const { recipe } of runs) {
        const request = { modelId: model.id, recipe, trainLengths, longestValidation, kernels: host.kernels };
        const { totalSteps, memory } = await host.runs.trainer.ask((api) => api.plan(request));
        if (mine !== this.generation) return;
        plans.push({ recipe, totalSteps, bytes: memory.total });
        this.planned = plans.length;
      }
      const speed = knownSpeed(host.runs.history.runs, {
        modelId: model.id,
        trainFile: train.title,
        recipe: plans[0].recipe,
      });
      this.needs = {
        memoryBytes: largest(
          plans.map(({ bytes }) => bytes),
          0,
        ),
        totalSteps: plans.reduce((sum, plan) => sum + plan.totalSteps, 0),
        seconds:
          speed && plans.reduce((sum, plan) => sum + secondsBy(speed, plan.recipe, plan.totalSteps), 0),
        speedOf: speed && titleOf(speed.from),
      };
    } catch (error) {
      const message = reported(error, 'planning a sweep');
      if (mine === this.generation) this.error = message;
    } finally {
      if (mine === this.generation) this.planned = null;
    }
  }

  /** Puts its runs into the queue. */
  queueUp(): void {
    const { runs } = this;
    if (typeof runs !== 'string') this.queue.addSweep(runs);
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
