/** A run in one session of the trainer's host, on an engine that learns by plain arithmetic. */
import type { EngineOptions } from '../../src/engine/engine.ts';
import type { HeadDtype } from '../../src/engine/headDtype.ts';
import type { EngineHost } from '../../src/engine/engineHost.ts';
import type { Database } from '../../src/storage/database.ts';
import { EvaluationClients } from '../../src/worker/trainer/evaluationClients.ts';
import { RunSession } from '../../src/worker/trainer/runSession.ts';
import type { RunOutcome, RunRequest } from '../../src/worker/trainer/trainerProtocol.ts';
import type { Counter } from './faults.ts';
import { ArithmeticEngine } from './faults.ts';
import { evaluationWorker, requestOf, type EvaluationWorker } from './runHost.ts';

const RECIPE = {
  max_length: 64,
  training: { max_steps: 6, per_device_train_batch_size: 4, learning_rate: 0.1, warmup_ratio: 0 },
  evaluation: { eval_steps: 2, metric_for_best_model: 'eval_other_loss', load_best_model_at_end: true },
};
export type EngineFault = 'device lost' | 'killed' | 'none';

/** A run in one session. @returns null where its thread died */
export async function session(
  modelId: string,
  database: Database,
  counter: Counter,
  fault: EngineFault = 'none',
  resumeRunId: string | null = null,
  more: Partial<RunRequest> & {
    device?: string;
    evaluation?: Counter;
    /** Whether its engine keeps the head in 8 bits, given what it is asked for. */
    choosesHead?: (asked: HeadDtype | undefined) => boolean;
  } = {},
): Promise<RunOutcome | null> {
  const { device, evaluation, choosesHead, ...others } = more;
  const clients = new EvaluationClients();
  const workers = evaluation ? dyingWorker(clients, evaluation) : [];
  const evaluationPorts = workers.map(({ ports }) => ports);
  const { request, close } = requestOf(modelId, RECIPE, {
    resumeRunId,
    ...(evaluation ? { evaluationPorts } : {}),
    ...others,
  });
  clients.begin();
  const engines = {
    reportWaits: () => undefined,
    canRun: async () => true,
    settleKernels: async () => ({ level: 'plain', basis: 'only' }) as const,
    create: async ({ headDtype }: Pick<EngineOptions, 'headDtype'>) => {
      const engine = new ArithmeticEngine(fault, counter, device);
      return choosesHead
        ? Object.assign(engine, { memoryChoice: { headInQ8_0: choosesHead(headDtype) } })
        : engine;
    },
  } as unknown as EngineHost;
  const run = new RunSession(
    database,
    engines,
    clients,
    request,
    () => undefined,
    async () => ({ requests: [], errors: [] }),
  );
  try {
    return await Promise.race([run.run().then(({ outcome }) => outcome), counter.dead.then(() => null)]);
  } finally {
    clients.end();
    close();
    for (const worker of workers) worker.close();
  }
}

/**
 * An evaluation worker that dies at the counter's point; the page starts another in its place, as it does
 * once a worker.
 * @returns the workers so far; the second one is added when the first has died
 */
function dyingWorker(clients: EvaluationClients, counter: Counter): EvaluationWorker[] {
  const first = evaluationWorker(async () => {
    if (!counter.next()) return;
    setImmediate(() => {
      clients.died('other', 'it was killed', true);
      const second = evaluationWorker();
      workers.push(second);
      clients.replace(second.ports);
    });
    await new Promise(() => undefined);
  });
  const workers = [first];
  return workers;
}

export const bytesOf = ({ adapter }: Pick<RunOutcome, 'adapter'>) =>
  Buffer.from(adapter.get('adapter_model.safetensors')!).toString('hex');
