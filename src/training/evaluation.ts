/** Evaluation of one validation file: loss over all its rows, and generated answers for the first of them where the recipe asks. */
import { packDocuments, supervisedTokens } from '../data/packing.ts';
import type { Document, MicroBatch } from '../data/types.ts';
import type { GenerationOptions } from './engine.ts';

/** Numbers of one evaluation, under their names in metrics.jsonl after `eval_<name>_`. */
export interface EvaluationMetrics {
  loss: number;
  perplexity: number;
  exact_match?: number;
  mean_generated_length?: number;
}

export interface GeneratedAnswer {
  line: number;
  prompt: string;
  reference: string;
  answer: string;
}

export interface EvaluationResult {
  metrics: EvaluationMetrics;
  answers: GeneratedAnswer[];
}

/** What the trainer asks at evaluation steps. */
export interface Evaluator {
  name: string;
  /** @throws where this file cannot be evaluated; the others and the training go on */
  evaluate(step: number): Promise<EvaluationResult>;
}

/** Forward passes, wherever the engine is. */
export interface Scorer {
  tokensPerMicroBatch: number;
  score(batch: MicroBatch): Promise<Float32Array>;
  generate(prompts: number[][], options: GenerationOptions): Promise<number[][]>;
}

export interface FileEvaluation {
  documents: readonly Document[];
  padTokenId: number;
  /** null: no generation. */
  generation: (GenerationOptions & { maxSamples: number; decode(ids: number[]): string }) | null;
}

/** Loss = Σ cross entropy / supervised tokens over every row; generation for the first `maxSamples` rows. */
export async function evaluateFile(file: FileEvaluation, scorer: Scorer): Promise<EvaluationResult> {
  let sum = 0;
  for (const batch of packDocuments(file.documents, { tokens: scorer.tokensPerMicroBatch, padTokenId: file.padTokenId })) {
    for (const loss of await scorer.score(batch)) sum += loss;
  }
  const tokens = file.documents.reduce((total, document) => total + supervisedTokens(document), 0);
  const loss = sum / tokens;
  if (!Number.isFinite(loss)) throw new Error('the loss is not a number: the adapter has diverged');
  const metrics: EvaluationMetrics = { loss, perplexity: Math.exp(loss) };
  if (!file.generation) return { metrics, answers: [] };
  const { maxSamples, decode, ...options } = file.generation;
  const chosen = file.documents.slice(0, maxSamples);
  const made = await scorer.generate(
    chosen.map(({ inputIds, promptTokens }) => inputIds.slice(0, promptTokens)),
    options,
  );
  const answers = chosen.map(({ inputIds, promptTokens, line }, i) => ({
    line,
    prompt: decode(inputIds.slice(0, promptTokens)),
    reference: decode(inputIds.slice(promptTokens)).trim(),
    answer: decode(made[i]).trim(),
  }));
  metrics.exact_match = answers.filter(({ answer, reference }) => answer === reference).length / answers.length;
  metrics.mean_generated_length = made.reduce((total, ids) => total + ids.length, 0) / made.length;
  return { metrics, answers };
}
