/** A result's adapter on the validation files that the page has now, beside the base model. */
import { t } from '../language/messages.svelte.ts';
import type { Recipe } from '../../training/recipe.ts';
import { transfer } from '../../worker/client.ts';
import type { ResultEvaluation } from '../../worker/trainer/trainerProtocol.ts';
import { reported } from '../errors/reported.ts';
import { connectEvaluationWorkers } from '../run/evaluationWorkers.ts';
import type { ResultWorkers } from './resultWorkers.ts';

export class AdapterEvaluation {
  results = $state.raw<ResultEvaluation[]>([]);
  busy = $state(false);
  error = $state<string | null>(null);

  constructor(
    private readonly runId: string,
    private readonly recipe: Recipe,
    private readonly workers: ResultWorkers,
  ) {}

  async run(): Promise<void> {
    this.busy = true;
    this.error = null;
    this.results = [];
    try {
      const { usable, longestValidation } = this.workers.data();
      let dead: string | null = null;
      const { ports, failed } = await connectEvaluationWorkers(usable, this.recipe, ({ name }, message) => {
        dead = t.result.workerEnded(name, message);
      });
      const [fault] = failed.values();
      if (fault !== undefined) throw new Error(fault);
      const channels = ports.flatMap(({ scorer, evaluator }) => [scorer, evaluator]);
      this.results = await this.workers.trainer.ask((api) =>
        api.evaluateResult(this.runId, transfer(ports, channels), longestValidation),
      );
      if (dead !== null) throw new Error(dead);
    } catch (error) {
      this.error = reported(error, 'evaluating the adapter');
    }
    this.busy = false;
  }
}
