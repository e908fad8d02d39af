/** A run in one session of the trainer's host, on an engine that learns by plain arithmetic. */
import type { EngineHost } from '../../src/engine/engineHost.ts';
import type { Database } from '../../src/storage/database.ts';
import { EvaluationClients } from '../../src/worker/trainer/evaluationClients.ts';
import { RunSession } from '../../src/worker/trainer/runSession.ts';
import type { RunOutcome, RunRequest } from '../../src/worker/trainer/trainerProtocol.ts';
import type { Counter } from './faults.ts';
import { ArithmeticEngine } from './faults.ts';
import { requestOf } from './runHost.ts';

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
  more: Partial<RunRequest> & { device?: string } = {},
): Promise<RunOutcome | null> {
  const { device, ...others } = more;
  const { request, close } = requestOf(modelId, RECIPE, { resumeRunId, ...others });
  const clients = new EvaluationClients();
  clients.begin();
  const engines = {
    reportWaits: () => undefined,
    canRun: async () => true,
    settleKernels: async () => ({ level: 'plain', basis: 'only' }) as const,
    create: async () => new ArithmeticEngine(fault, counter, device),
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
  }
}

export const bytesOf = ({ adapter }: Pick<RunOutcome, 'adapter'>) =>
  Buffer.from(adapter.get('adapter_model.safetensors')!).toString('hex');
