/** Connects the workers of validation files to the trainer for a run, and again after a worker died. */
import { t } from '../language/messages.svelte.ts';
import { transfer, type Remote } from '../../worker/client.ts';
import { WorkerDied } from '../../worker/supervisedWorker.ts';
import type { EvaluationPorts } from '../../worker/evaluation/evaluationProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { TrainerApi } from '../../worker/trainer/trainerProtocol.ts';
import type { DataFile } from '../data/DataFile.svelte.ts';
import { reported } from '../errors/reported.ts';

/**
 * Ports of every file's worker. A worker that dies before all are connected is replaced and connected again.
 * @param onDeath is called when one dies later
 * @returns `failed`: why a file cannot be evaluated; the trainer is notified once the run has begun
 */
export async function connectEvaluationWorkers(
  files: readonly DataFile[],
  recipe: Recipe,
  onDeath: (file: DataFile, message: string, restarted: Promise<boolean> | null) => void,
): Promise<{ ports: EvaluationPorts[]; failed: Map<DataFile, string> }> {
  const failed = new Map<DataFile, string>();
  const lost = new Set<DataFile>();
  const connectOrFail = async (file: DataFile): Promise<EvaluationPorts> => {
    try {
      return await connect(file, recipe);
    } catch (error) {
      failed.set(file, reported(error, `connecting the evaluation worker of ${file.name}`));
      return { name: file.name, scorer: new MessageChannel().port2, evaluator: new MessageChannel().port2 };
    }
  };
  for (const file of files) file.onDeath = () => lost.add(file);
  let ports = await Promise.all(files.map(connectOrFail));
  while (lost.size > 0) {
    const again = new Set([...lost].filter((file) => !failed.has(file)));
    lost.clear();
    ports = await Promise.all(
      files.map(async (file, i) => (again.has(file) ? connectOrFail(file) : ports[i])),
    );
  }
  for (const file of files) file.onDeath = (message, restarted) => onDeath(file, message, restarted);
  return { ports, failed };
}

/** A file's worker died during a run: the trainer waits for another worker, or gives the file up. */
export async function replaceEvaluationWorker(
  trainer: Remote<TrainerApi>,
  file: DataFile,
  recipe: Recipe,
  message: string,
  restarted: Promise<boolean> | null,
): Promise<void> {
  await trainer.evaluationWorkerDied(
    file.name,
    restarted ? message : t.run.workerDiedAgain(message),
    restarted !== null,
  );
  if (!restarted) return;
  try {
    await restarted;
    const ports = await connect(file, recipe);
    await trainer.replaceEvaluationWorker(transfer(ports, [ports.scorer, ports.evaluator]));
  } catch (error) {
    await trainer.evaluationWorkerDied(
      file.name,
      t.run.workerNotRestarted(
        message,
        reported(error, `starting the evaluation worker of ${file.name} again`),
      ),
      false,
    );
  }
}

async function connect(file: DataFile, recipe: Recipe): Promise<EvaluationPorts> {
  for (;;) {
    if (!(await file.reread())) throw new Error(file.error ?? t.run.couldNotBeRead(file.title));
    const scorer = new MessageChannel();
    const evaluator = new MessageChannel();
    try {
      await file.askEvaluation((api) =>
        api.connect(
          transfer(scorer.port1, [scorer.port1]),
          transfer(evaluator.port1, [evaluator.port1]),
          recipe,
        ),
      );
      return { name: file.name, scorer: scorer.port2, evaluator: evaluator.port2 };
    } catch (error) {
      // The file is read again by another worker, if one is started.
      if (!(error instanceof WorkerDied)) throw error;
    }
  }
}
