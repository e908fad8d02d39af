/**
 * The plan of the run at hand: made whenever the model, the rows or the recipe change, with its memory and
 * kernels.
 */
import { t } from '../language/messages.svelte.ts';
import { kernelRequestOf } from '../../training/kernelRequest.ts';
import { isTooLarge } from '../../lib/errors.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type { ModelDetails } from '../../worker/import/importProtocol.ts';
import type {
  KernelRequest,
  PlanRequest,
  RunPlan,
  TrainerApi,
} from '../../worker/trainer/trainerProtocol.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import { reported } from '../errors/reported.ts';
import { KernelTuning } from '../gpu/KernelTuning.svelte.ts';
import { MemoryCheck } from '../gpu/MemoryCheck.svelte.ts';
/** What a plan is made from. */
export interface PlanningContext {
  readonly model: ModelDetails | null;
  readonly data: DataFiles;
  readonly recipe: Recipe;
  readonly recipeError: string | null;
}

export class Planning {
  plan = $state.raw<RunPlan | null>(null);
  /** Why this recipe cannot be planned with this model and these rows. */
  error = $state<string | null>(null);
  /** Whether that is because the run is too large: a smaller one may be planned. */
  isTooLarge = $state(false);
  readonly memory: MemoryCheck;
  readonly kernelTuning: KernelTuning;
  /** Grows with every plan: an answer for an earlier one is dropped. */
  private generation = 0;

  constructor(
    private readonly context: PlanningContext,
    private readonly trainer: SupervisedWorker<TrainerApi>,
  ) {
    this.memory = new MemoryCheck({
      plan: (request) => trainer.ask((api) => api.plan(request)),
      probe: (bytes) => trainer.ask((api) => api.probe(bytes)),
    });
    this.kernelTuning = new KernelTuning({
      measureKernels: (request) => trainer.ask((api) => api.measureKernels(request)),
    });
  }

  /** What the page's address asks of the kernels. @throws UserError where it asks for what there is not */
  get kernels(): KernelRequest {
    return kernelRequestOf(location.href);
  }

  /** Plans the run again. */
  async refresh(): Promise<void> {
    const { model, data } = this.context;
    const report = data.train?.report;
    this.forget();
    const mine = this.generation;
    if (!model || !report || report.summary.rows === 0) return;
    const { method, training } = this.context.recipe;
    const sampled = method === 'grpo' ? training.max_completion_length : 0;
    const longest = Math.max(report.summary.longest + sampled, data.longestValidation);
    if (longest > model.maxPositions) {
      this.isTooLarge = true;
      this.error = t.run.tooLong(longest, model.maxPositions, sampled > 0);
      return;
    }
    try {
      const request = this.request(model, report.lengths, data.longestValidation);
      const plan = await this.trainer.ask((api) => api.plan(request));
      if (mine !== this.generation) return;
      this.plan = plan;
      if (plan.kernels?.basis === 'pending')
        this.kernelTuning.begin(request, (measured) => (this.plan = measured));
    } catch (error) {
      const message = reported(error, 'planning the run');
      if (mine !== this.generation) return;
      this.error = message;
      this.isTooLarge = isTooLarge(error);
    }
  }

  /** The recipe or the data changed: the plan is no longer true. */
  forget(): void {
    this.generation++;
    this.plan = null;
    this.error = null;
    this.isTooLarge = false;
    this.memory.forget();
    this.kernelTuning.forget();
  }

  /** Plans recipes that need less memory than the one at hand. */
  async findRemedies(): Promise<void> {
    const { model, data, recipeError } = this.context;
    const report = data.train?.report;
    if (!model || !report || recipeError) return;
    await this.memory.findRemedies(this.request(model, report.lengths, data.longestValidation), this.plan);
  }

  private request(
    model: ModelDetails,
    trainLengths: PlanRequest['trainLengths'],
    longestValidation: number,
  ): PlanRequest {
    return {
      modelId: model.id,
      recipe: $state.snapshot(this.context.recipe),
      trainLengths,
      longestValidation,
      kernels: this.kernels,
    };
  }
}
