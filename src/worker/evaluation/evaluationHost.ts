import { expose, wrap } from 'comlink';
import type { BatchShape } from '../../data/packing.ts';
import { hasPreferences, PreferenceEvaluation } from '../../training/preference/evaluatePreferences.ts';
import { preferenceSettings } from '../../training/preference/method.ts';
import { evaluateFile, type Question, type Scorer } from '../../training/evaluation.ts';
import type { EvaluatorApi, EvaluationApi, ScorerApi } from './evaluationProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { DataRequest, FileReport } from '../dataset/datasetProtocol.ts';
import { RowFileHost } from '../dataset/rowFile.ts';
import { hasRougeWords } from '../../lib/rouge/rouge.ts';
import { rowsByLoss, type RowsByLoss } from '../dataset/rowsByLoss.ts';
import { ScoringWorker } from '../scoring/scoringWorker.ts';

/** The rows of a validation file and their evaluation, served to the page and to the trainer. */
export class EvaluationHost extends RowFileHost implements EvaluationApi {
  /** Of the last evaluation, by document. */
  private losses: Float32Array | null = null;
  /** Of the run at hand, where its recipe has metrics of its own. */
  private scorer: ScoringWorker | null = null;

  override async load(
    request: DataRequest,
    onProgress: (done: number, total: number) => void,
  ): Promise<FileReport> {
    this.losses = null;
    const report = await super.load(request, onProgress);
    return { ...report, notes: [...report.notes, ...rougeNote(this.read.dataset.sources)] };
  }

  async rowsByLoss(count: number): Promise<RowsByLoss | null> {
    const { losses } = this;
    const { dataset, tokenizer } = this.read;
    return losses && rowsByLoss([...losses.keys()], losses, dataset, tokenizer, count);
  }

  async questions(count: number): Promise<Question[]> {
    return this.rows?.questions(count) ?? [];
  }

  async connect(scorerPort: MessagePort, ownPort: MessagePort, recipe: Recipe): Promise<void> {
    const { evaluation, training } = recipe;
    const remote = wrap<ScorerApi>(scorerPort);
    let preferences: PreferenceEvaluation | null | undefined;
    const { metrics } = recipe;
    await this.scorer?.dispose();
    this.scorer = metrics.length > 0 ? new ScoringWorker(metrics) : null;
    const own = this.scorer && { metrics, scorer: this.scorer };
    const served: EvaluatorApi = {
      evaluate: async () => {
        const { tokenizer, dataset } = this.read;
        const scorer: Scorer = {
          tokensPerMicroBatch: await remote.tokensPerMicroBatch(),
          score: (batch, adapterScale) => remote.score(batch, adapterScale),
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
              seed: training.seed,
              decode: (ids: number[]) => tokenizer.decode(ids, { skipSpecial: true }),
              ...(own ? { own } : {}),
            }
          : null;
        const shape = { tokens: scorer.tokensPerMicroBatch, padTokenId: tokenizer.padTokenId };
        preferences ??= this.preferences(recipe, shape);
        const losses = new Float32Array(dataset.documents.length).fill(NaN);
        const result = await evaluateFile(
          { documents: dataset.documents, padTokenId: tokenizer.padTokenId, preferences, generation },
          scorer,
          (row, loss) => (losses[row] = loss),
        );
        this.losses = losses;
        return result;
      },
    };
    expose(served, ownPort);
  }

  /** null where the recipe's method or this file has no preferences. */
  private preferences(recipe: Recipe, shape: BatchShape): PreferenceEvaluation | null {
    const settings = preferenceSettings(recipe);
    if (!settings) return null;
    const { documents, pairStarts, labels } = this.read.dataset;
    const file = { settings, documents, pairStarts, labels };
    return hasPreferences(file) ? new PreferenceEvaluation(file, shape) : null;
  }
}

/** What ROUGE cannot say of answers in other scripts than the Latin one. */
function rougeNote(sources: readonly { kind: string; answer: string }[]): string[] {
  const answers = sources.filter(({ kind }) => kind === 'chat');
  const without = answers.filter(({ answer }) => answer.trim() !== '' && !hasRougeWords(answer)).length;
  if (without === 0) return [];
  return [
    `${without} of ${answers.length} answers have no letter a to z and no digit, which are all that ROUGE counts: it is 0 for them whatever is answered. chrF and exact match read every script.`,
  ];
}
