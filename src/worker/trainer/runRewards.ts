/** What a run of rewards needs beside its engine: the prompts, the tokenizer, and a worker that scores. */
import type { Database } from '../../storage/database.ts';
import { report } from '../../lib/errorLog.ts';
import type { PromptRow } from '../../training/reward/promptRow.ts';
import type { RewardContext } from '../../training/trainingSteps.ts';
import { ScoringWorker } from '../scoring/scoringWorker.ts';
import { readAnsweringModel } from './answers/answeringModel.ts';
import { whole } from '../../data/tokenizer/answerText.ts';
import type { RunRequest } from './trainerProtocol.ts';

export interface RunRewards {
  context: RewardContext;
  dispose(): Promise<void>;
}

/** Answers that are named in the log where a function failed and the recipe says to go on. */
const FAULTS_LOGGED = 20;

/** @returns null where the rows are no prompts */
export async function openRewards(
  database: Database,
  { modelId, recipe }: RunRequest,
  rows: readonly PromptRow[] | null,
): Promise<RunRewards | null> {
  if (!rows) return null;
  const { tokenizer } = await readAnsweringModel(Promise.resolve(database), modelId);
  const scorer = new ScoringWorker(recipe.rewards);
  let faults = 0;
  return {
    context: {
      rows,
      stopTokenIds: tokenizer.stopTokenIds,
      decode: (ids) => whole(tokenizer, ids),
      scorer,
      onFault: (message) => {
        if (++faults <= FAULTS_LOGGED) report(new Error(message), 'rewarding an answer', 'warning');
      },
    },
    dispose: () => scorer.dispose(),
  };
}
