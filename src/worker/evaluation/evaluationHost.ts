import { expose, wrap } from 'comlink';
import { evaluateFile, type Question, type Scorer } from '../../training/evaluation.ts';
import type { EvaluatorApi, EvaluationApi, ScorerApi } from './evaluationProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import { RowFileHost } from '../dataset/rowFile.ts';

/** The rows of a validation file and their evaluation, served to the page and to the trainer. */
export class EvaluationHost extends RowFileHost implements EvaluationApi {
  async questions(count: number): Promise<Question[]> {
    return this.rows?.questions(count) ?? [];
  }

  async connect(
    scorerPort: MessagePort,
    ownPort: MessagePort,
    evaluation: Recipe['evaluation'],
    seed: number,
  ): Promise<void> {
    const remote = wrap<ScorerApi>(scorerPort);
    const served: EvaluatorApi = {
      evaluate: async () => {
        const { tokenizer, dataset } = this.read;
        const scorer: Scorer = {
          tokensPerMicroBatch: await remote.tokensPerMicroBatch(),
          score: (batch) => remote.score(batch),
          generate: (prompts, options) => remote.generate(prompts, options),
        };
        const generation = evaluation.predict_with_generate
          ? {
              questions: this.read.questions(evaluation.eval_max_samples),
              maxNewTokens: evaluation.max_new_tokens,
              stopTokenIds: tokenizer.stopTokenIds,
              doSample: evaluation.do_sample,
              temperature: evaluation.temperature,
              topP: evaluation.top_p,
              seed,
              decode: (ids: number[]) => tokenizer.decode(ids, { skipSpecial: true }),
            }
          : null;
        return evaluateFile(
          { documents: dataset.documents, padTokenId: tokenizer.padTokenId, generation },
          scorer,
        );
      },
    };
    expose(served, ownPort);
  }
}
