/** The interfaces between an evaluation worker, the page and the trainer. */
import type { MicroBatch } from '../../data/types.ts';
import type { GenerationOptions, TokenScores } from '../../engine/engine.ts';
import type { EvaluationResult, Question } from '../../training/evaluation.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { RowsByLoss } from '../dataset/rowsByLoss.ts';
import type { RowFileApi } from '../dataset/datasetProtocol.ts';

export type { GenerationOptions, TokenScores };

/** evaluation.worker, one a validation file: owns its rows, batching, decoding and metrics. */
export interface EvaluationApi extends RowFileApi {
  /** The first rows as questions: what generation starts from, and the answer they have. */
  questions(count: number): Promise<Question[]>;
  /** The rows with the highest and the lowest loss a token; null before the first evaluation. */
  rowsByLoss(count: number): Promise<RowsByLoss | null>;
  /**
   * @param scorer port on which the trainer answers
   * @param own port on which this worker is asked to evaluate
   */
  connect(scorer: MessagePort, own: MessagePort, recipe: Recipe): Promise<void>;
}

/** What the trainer serves to each evaluation worker. */
export interface ScorerApi {
  tokensPerMicroBatch(): Promise<number>;
  score(batch: MicroBatch, adapterScale?: number): Promise<TokenScores>;
  generate(prompts: number[][], options: GenerationOptions): Promise<number[][]>;
}

/** What each evaluation worker serves to the trainer. */
export interface EvaluatorApi {
  evaluate(step: number): Promise<EvaluationResult>;
}

export interface EvaluationPorts {
  name: string;
  scorer: MessagePort;
  evaluator: MessagePort;
}
