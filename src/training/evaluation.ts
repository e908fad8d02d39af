/**
 * Evaluation of one validation file: the loss over all its rows and, where the recipe asks for it, generated
 * answers to the first of them.
 */
import type { DocumentTable } from '../data/documentTable.ts';
import { Packing } from '../data/packing.ts';
import { endsWithStop } from '../data/tokenizer/answerText.ts';
import type { MicroBatch } from '../data/types.ts';
import { mean } from '../lib/mean.ts';
import { ownMetrics, type OwnMetrics } from './scoring/ownMetrics.ts';
import { corpusBleu, corpusChrf } from '../lib/rouge/overlapScores.ts';
import { rouge, type RougeScores } from '../lib/rouge/rouge.ts';
import type { GenerationOptions, TokenScores } from '../engine/engine.ts';
import type { PreferenceEvaluation } from './preference/evaluatePreferences.ts';

/**
 * Numbers of one evaluation, under their names in metrics.jsonl after `eval_<name>_`. The optional ones need
 * `predict_with_generate`.
 */
export interface EvaluationMetrics extends Partial<RougeScores>, Partial<Record<PreferenceMetric, number>> {
  /** Σ cross entropy / supervised tokens; of preferences the method's loss. */
  loss: number;
  /** exp(loss); not of preferences. */
  perplexity?: number;
  /** Share of supervised tokens that are the argmax of their logits; not of preferences. */
  token_accuracy?: number;
  /** Means of the F-measures over the rows, ×100. */
  rouge1?: number;
  rouge2?: number;
  rougeL?: number;
  /** Of lines: sentences count as lines where the text has them apart. */
  rougeLsum?: number;
  /** Of all answers at once, as sacrebleu computes them. */
  bleu?: number;
  chrf?: number;
  /** Share of answers that are the reference, but for white space at the ends. */
  exact_match?: number;
  /** Tokens, the end token included. */
  mean_generated_length?: number;
  /** The same in characters. */
  gen_len?: number;
  /** Share of answers that ended with a stop token before max_new_tokens. */
  stopped_share?: number;
}

/** Of a validation file of preferences, under TRL's names. */
export const PREFERENCE_METRICS = [
  'rewards/chosen',
  'rewards/rejected',
  'rewards/accuracies',
  'rewards/margins',
  'logps/chosen',
  'logps/rejected',
  'kl',
  'nll_loss',
] as const;
type PreferenceMetric = (typeof PREFERENCE_METRICS)[number];

export interface GeneratedAnswer {
  line: number;
  /** The last user message before the answer. */
  prompt: string;
  reference: string;
  answer: string;
  /** Whether it ended with a stop token. */
  stopped: boolean;
  /** New tokens, the end token included. */
  tokens: number;
  exactMatch: boolean;
  /** F-measure against the reference, ×100. */
  rougeL: number;
  /** By the recipe's own metrics; null: no score. Absent where it has none. */
  own?: Record<string, number | null>;
}

export interface EvaluationResult {
  metrics: EvaluationMetrics;
  answers: GeneratedAnswer[];
}

/** A validation file as the trainer sees it. */
export interface Evaluator {
  name: string;
  /** @throws where this file cannot be evaluated; the others and the training go on */
  evaluate(step: number): Promise<EvaluationResult>;
}

/** Forward passes by an engine of this thread or of another. */
export interface Scorer {
  tokensPerMicroBatch: number;
  /** @param adapterScale 0: the base model; 1 where absent */
  score(batch: MicroBatch, adapterScale?: number): Promise<TokenScores>;
  generate(prompts: number[][], options: GenerationOptions): Promise<number[][]>;
}

/** A prompt to be answered, and the file's own answer. */
export interface Question {
  file: string;
  line: number;
  promptIds: number[];
  prompt: string;
  reference: string;
  /** The record of the data file, for metrics of the recipe's own. */
  record: unknown;
}

export interface FileEvaluation {
  documents: DocumentTable;
  padTokenId: number;
  /** Of a file of preferences under a method that learns from them: takes the place of the token loss. */
  preferences?: PreferenceEvaluation | null;
  /** null: no generation. */
  generation:
    | (GenerationOptions & {
        questions: readonly Question[];
        decode(ids: number[]): string;
        /** Metrics of the recipe's own, and what scores by them. */
        own?: OwnMetrics;
      })
    | null;
}

/**
 * @param onRow is given the mean loss of each row's supervised tokens (NaN where there is none), by the row's
 *   index; not of preference rows
 */
export async function evaluateFile(
  file: FileEvaluation,
  scorer: Scorer,
  onRow: (row: number, loss: number) => void = () => undefined,
): Promise<EvaluationResult> {
  const metrics = file.preferences
    ? await file.preferences.evaluate((batch, adapterScale) => scorer.score(batch, adapterScale))
    : await tokenMetrics(file, scorer, onRow);
  if (!Number.isFinite(metrics.loss)) throw new Error('the loss is not a number: the adapter has diverged');
  const answers =
    file.generation && file.generation.questions.length > 0
      ? await answerQuestions(file.generation, scorer)
      : [];
  const own = await ownMetrics(
    file.generation?.own,
    file.generation?.questions ?? [],
    answers.map(({ answer }) => answer),
  );
  return {
    metrics: { ...metrics, ...(answers.length > 0 ? answerMetrics(answers) : {}), ...own },
    answers: answers.map(({ answer }) => answer),
  };
}

async function tokenMetrics(
  file: FileEvaluation,
  scorer: Scorer,
  onRow: (row: number, loss: number) => void,
): Promise<EvaluationMetrics> {
  let sum = 0;
  let correct = 0;
  const shape = { tokens: scorer.tokensPerMicroBatch, padTokenId: file.padTokenId };
  for (const batch of new Packing(file.documents, shape)) {
    const scores = await scorer.score(batch);
    for (const loss of scores.loss) sum += loss;
    rowLosses(batch, scores, onRow);
    for (const hit of scores.correct) correct += hit;
  }
  const tokens = file.documents.supervisedTokens;
  const loss = sum / tokens;
  return { loss, perplexity: Math.exp(loss), token_accuracy: correct / tokens };
}

/** Gives the mean loss of the supervised tokens of each row of a batch; NaN where there is none. */
export function rowLosses(
  batch: MicroBatch,
  scores: Pick<TokenScores, 'loss'>,
  onRow: (row: number, loss: number) => void,
): void {
  for (const { index, start, length } of batch.spans) onRow(index, meanLoss(batch, scores, start, length));
}

function meanLoss(
  { targets }: MicroBatch,
  { loss }: Pick<TokenScores, 'loss'>,
  start: number,
  length: number,
): number {
  let [sum, count] = [0, 0];
  for (let t = start; t < start + length; t++)
    if (targets[t] >= 0) {
      sum += loss[t];
      count++;
    }
  return sum / count;
}

interface ScoredAnswer {
  answer: GeneratedAnswer;
  scores: RougeScores;
}

async function answerQuestions(
  generation: NonNullable<FileEvaluation['generation']>,
  scorer: Scorer,
): Promise<ScoredAnswer[]> {
  const { questions, decode } = generation;
  const { stopTokenIds, maxNewTokens, doSample, temperature, topP, seed } = generation;
  const options = { stopTokenIds, maxNewTokens, doSample, temperature, topP, seed };
  const made = await scorer.generate(
    questions.map(({ promptIds }) => promptIds),
    options,
  );
  return questions.map(({ line, prompt, reference }, i) => {
    const answer = decode(made[i]).trim();
    const scores = rouge(reference, answer);
    const stopped = endsWithStop(made[i], options.stopTokenIds);
    return {
      scores,
      answer: {
        line,
        prompt,
        reference,
        answer,
        stopped,
        tokens: made[i].length,
        exactMatch: answer === reference.trim(),
        rougeL: 100 * scores.rougeL,
      },
    };
  });
}

function answerMetrics(
  answers: readonly ScoredAnswer[],
): Omit<EvaluationMetrics, 'loss' | 'perplexity' | 'token_accuracy'> {
  const meanOf = (of: (answer: ScoredAnswer) => number) => mean(answers.map(of));
  return {
    rouge1: 100 * meanOf(({ scores }) => scores.rouge1),
    rouge2: 100 * meanOf(({ scores }) => scores.rouge2),
    rougeL: 100 * meanOf(({ scores }) => scores.rougeL),
    rougeLsum: 100 * meanOf(({ scores }) => scores.rougeLsum),
    bleu: corpusBleu(answers.map(({ answer }) => answer)),
    chrf: corpusChrf(answers.map(({ answer }) => answer)),
    exact_match: meanOf(({ answer }) => Number(answer.exactMatch)),
    mean_generated_length: meanOf(({ answer }) => answer.tokens),
    gen_len: meanOf(({ answer }) => [...answer.answer].length),
    stopped_share: meanOf(({ answer }) => Number(answer.stopped)),
  };
}
