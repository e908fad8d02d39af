/** Answers and metrics of a run's evaluations, by validation set and step. */
import { storing, type Database, type StoredEvaluation } from './database.ts';

export async function putEvaluation(database: Database, evaluation: StoredEvaluation): Promise<void> {
  await storing(() => database.put('evaluations', evaluation), 'the run itself goes on');
}

export async function deleteEvaluation(
  database: Database,
  { runId, name, step }: Pick<StoredEvaluation, 'runId' | 'name' | 'step'>,
): Promise<void> {
  await database.delete('evaluations', [runId, name, step]);
}

/** By name, then step. */
export function listEvaluations(database: Database, runId: string): Promise<StoredEvaluation[]> {
  return database.getAll('evaluations', IDBKeyRange.bound([runId], [runId, []]));
}
