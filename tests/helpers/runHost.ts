/**
 * trainer.worker's host in this process: a database of its own in memory, the tiny model in it, and a run's
 * ports served here.
 */
import 'fake-indexeddb/auto';
import { expose, wrap } from 'comlink';
import { nodeGpu } from '../../scripts/lib/nodeGpu.ts';
import { DocumentTable } from '../../src/data/documentTable.ts';
import { openGpu, type GpuContext } from '../../src/gpu/gpuContext.ts';
import { type Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { EngineHost } from '../../src/engine/engineHost.ts';
import { evaluateFile } from '../../src/training/evaluation.ts';
import { importModel } from '../../src/import/importModel.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';
import type {
  EvaluationPorts,
  EvaluatorApi,
  ScorerApi,
} from '../../src/worker/evaluation/evaluationProtocol.ts';
import type { RowsApi } from '../../src/worker/dataset/datasetProtocol.ts';
import type { RunRequest } from '../../src/worker/trainer/trainerProtocol.ts';
import { TrainerHost } from '../../src/worker/trainer/trainerHost.ts';
import { tinyModelFiles } from './tinyModel.ts';

export const PAD = 261;
let count = 0;
let device: GpuContext | null = null;

export interface TestHost {
  host: TrainerHost;
  database: Database;
  databaseName: string;
  modelId: string;
  /** The devices opened so far; the last is the one of now. */
  devices: GpuContext[];
}

/**
 * @param databaseName an earlier one's, as after a reload; a new one where absent
 * @param proxied puts something between the host and its database
 */
export async function openTestHost(
  databaseName = `host ${count++}`,
  proxied: (database: Database) => Database = (database) => database,
): Promise<TestHost> {
  const database = await openDatabase(databaseName);
  const { id: modelId } = await importModel({
    files: tinyModelFiles(),
    name: 'tiny',
    quantization: 'nf4',
    database,
    checkRoom: async () => undefined,
  });
  const devices: GpuContext[] = [];
  const engines = new EngineHost(async () => {
    // Hosts take turns on one device, with its compiled shaders, for as long as it lives.
    const context = device?.lost === null ? device : (device = await openGpu(nodeGpu()));
    if (context) devices.push(context);
    return context;
  });
  return {
    host: new TrainerHost(Promise.resolve(proxied(database)), engines),
    database,
    databaseName,
    modelId,
    devices,
  };
}

/** Rows "<user>, some bytes, <assistant>, a fixed answer, end". */
export function rows(count: number, first = 0): DocumentTable {
  const made = Array.from({ length: count }, (_, i) => {
    const prompt = [256, 258, 65 + ((first + i) % 20), 66 + i, 259];
    const inputIds = [...prompt, 104, 105, 257];
    return {
      inputIds,
      labels: inputIds.map((id, p) => (p < prompt.length ? -100 : id)),
      promptTokens: prompt.length,
      truncatedTokens: 0,
      line: i + 1,
    };
  });
  return DocumentTable.of('train.jsonl', made);
}

const summary = {
  rows: 0,
  tokens: 0,
  supervisedTokens: 0,
  longest: 0,
  truncatedRows: 0,
  truncatedTokens: 0,
  duplicates: 0,
  problems: 0,
  badRows: 0,
};

/** A worker that evaluates three rows under the name `other`, with the ports that the trainer gets. */
export interface EvaluationWorker {
  ports: EvaluationPorts;
  close(): void;
}

/** @param reached is awaited at every await of an evaluation: one that does not settle is a dead worker */
export function evaluationWorker(reached: () => Promise<void> = async () => undefined): EvaluationWorker {
  const [scorer, own] = [new MessageChannel(), new MessageChannel()];
  const remote = wrap<ScorerApi>(scorer.port1);
  const around = async <T>(call: () => Promise<T>): Promise<T> => {
    await reached();
    const value = await call();
    await reached();
    return value;
  };
  const evaluator: EvaluatorApi = {
    evaluate: () =>
      around(async () =>
        evaluateFile(
          { documents: rows(3, 12), padTokenId: PAD, generation: null },
          {
            tokensPerMicroBatch: await around(() => remote.tokensPerMicroBatch()),
            score: (batch) => around(() => remote.score(batch)),
            generate: (prompts, options) => remote.generate(prompts, options),
          },
        ),
      ),
  };
  expose(evaluator, own.port1);
  return {
    ports: { name: 'other', scorer: scorer.port2, evaluator: own.port2 },
    close() {
      for (const { port1, port2 } of [scorer, own]) {
        port1.close();
        port2.close();
      }
    },
  };
}

/** A run's request with its ports. `close` ends them. */
export function requestOf(
  modelId: string,
  input: RecipeInput,
  more: Partial<RunRequest> = {},
): { request: RunRequest; close(): void } {
  const recipe = parseRecipe({ ...input, model: 'tiny', train_file: 'train.jsonl' });
  const documents = rows(12);
  const rowPorts = new MessageChannel();
  const evaluation = evaluationWorker();
  const served: RowsApi = {
    labels: async () => null,
    prompts: async () => null,
    documents: async () => documents.copy().arrays,
  };
  expose(served, rowPorts.port1);
  const request: RunRequest = {
    modelId,
    modelName: 'tiny',
    recipe,
    trainLengths: documents.lengths,
    longestValidation: 8,
    kernels: { tune: true, level: 'auto' },
    padTokenId: PAD,
    rows: rowPorts.port2,
    evaluationPorts: [evaluation.ports],
    training: { file: 'train.jsonl', name: 'training', parts: [], summary, leaks: [], leftOut: 0 },
    validation: [{ file: 'other.val.jsonl', name: 'other', parts: [], summary, leaks: [], leftOut: 0 }],
    resumeRunId: null,
    consents: false,
    startFrom: null,
    ...more,
  };
  return {
    request,
    close() {
      rowPorts.port1.close();
      rowPorts.port2.close();
      evaluation.close();
    },
  };
}
