/** Evaluates an adapter that is at hand, and the base model under it, on validation files. */
import type { Engine } from '../../engine/engine.ts';
import type { EvaluationPorts } from '../evaluation/evaluationProtocol.ts';
import { EvaluationClients, type ScoringEngine } from './evaluationClients.ts';
import type { ResultEvaluation } from './trainerProtocol.ts';

/** @throws what a file's worker throws */
export async function evaluateResult(
  engine: Engine,
  ports: readonly EvaluationPorts[],
): Promise<ResultEvaluation[]> {
  const clients = new EvaluationClients();
  clients.begin();
  let adapterScale = 0;
  const scaled: ScoringEngine = {
    tokensPerMicroBatch: engine.tokensPerMicroBatch,
    score: (batch) => engine.score(batch, adapterScale),
    generate: (prompts, options, watch) =>
      engine.generate(prompts, { ...options, adapterScales: prompts.map(() => adapterScale) }, watch),
  };
  const results: ResultEvaluation[] = [];
  for (const each of ports) {
    const evaluator = clients.connect(each, () => scaled);
    adapterScale = 0;
    const { metrics: base } = await evaluator.evaluate(0);
    adapterScale = 1;
    const { metrics: tuned } = await evaluator.evaluate(0);
    results.push({ name: each.name, base, tuned });
  }
  clients.end();
  return results;
}
