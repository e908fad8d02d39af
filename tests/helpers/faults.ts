/**
 * Faults at the nth operation: of a database (through a proxy that counts what is asked of it and of its
 * transactions), and of an engine that learns by plain arithmetic.
 */
import { DeviceLostError } from '../../src/lib/errors.ts';
import {
  type AdapterTensors,
  type Engine,
  type GenerationOptions,
  type OptimizerState,
  type StepInput,
} from '../../src/engine/engine.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import type { Database } from '../../src/storage/database.ts';

/** What happens to a database. */
export const DATABASE_FAULTS = ['killed', 'write failed', 'quota gone', 'closed'] as const;
export type DatabaseFault = (typeof DATABASE_FAULTS)[number];

/** A disk refuses writes; a dead thread and a closed database refuse everything. */
const meetsReads = (fault: DatabaseFault) => fault === 'killed' || fault === 'closed';
const WRITES = new Set(['put', 'delete']);

/** Counts operations, and lets the `at`th fail. 1 is the first; 0: none. */
export class Counter {
  count = 0;
  /** Resolves when the thread that works is dead: nothing of it settles any more. */
  readonly dead: Promise<void>;
  private die!: () => void;
  isDead = false;

  constructor(readonly at = 0) {
    this.dead = new Promise((resolve) => (this.die = resolve));
  }

  /** @returns whether this operation is the one that fails */
  next(): boolean {
    return ++this.count === this.at;
  }

  kill(): Promise<never> {
    this.isDead = true;
    this.die();
    return new Promise(() => undefined);
  }
}

const OPERATIONS = new Set([
  ...['get', 'put', 'delete', 'count', 'getAll', 'getAllKeys', 'getKey', 'getAllKeysFromIndex'],
]);

/** A database whose nth operation meets a fault; its transactions count each of theirs, and their end. */
export function faultyDatabase(database: Database, fault: DatabaseFault, counter: Counter): Database {
  const meet = (): Promise<never> => {
    switch (fault) {
      case 'killed':
        return counter.kill();
      case 'closed':
        database.close();
        return Promise.reject(new DOMException('The database connection is closing.', 'InvalidStateError'));
      case 'quota gone':
        return Promise.reject(new DOMException('no room', 'QuotaExceededError'));
      case 'write failed':
        return Promise.reject(new DOMException('Internal error.', 'UnknownError'));
    }
  };
  const proxied = <T extends object>(target: T, abort?: () => void): T =>
    new Proxy(target, {
      get(_, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key === 'done' && value instanceof Promise) {
          // The commit: as the others, but that it may have reached the disk when the thread dies.
          return counter.next()
            ? value.then(meet, meet)
            : counter.isDead
              ? new Promise(() => undefined)
              : value;
        }
        if (typeof value !== 'function') {
          const isStore = key === 'store' && typeof value === 'object' && value !== null;
          return isStore ? proxied(value, abort) : value;
        }
        const call = (...args: unknown[]) => Reflect.apply(value, target, args) as unknown;
        if (key === 'transaction')
          return (...args: unknown[]) => {
            const transaction = call(...args) as { abort(): void };
            return proxied(transaction, () => {
              try {
                transaction.abort();
              } catch {
                // It is over already.
              }
            });
          };
        if (key === 'objectStore' || key === 'index')
          return (...args: unknown[]) => proxied(call(...args) as object, abort);
        if (!OPERATIONS.has(String(key))) return call;
        return (...args: unknown[]) => {
          if (counter.isDead) return new Promise(() => undefined);
          const isMet = (meetsReads(fault) || WRITES.has(String(key))) && counter.next();
          if (!isMet) return call(...args);
          // A request that fails takes its transaction with it.
          if (abort) setImmediate(abort);
          return meet();
        };
      },
    });
  return proxied(database);
}

/**
 * An engine whose adapter is one matrix of doubles: every step adds what its tokens, its rate and the
 * moments say.
 */
export class ArithmeticEngine implements Engine {
  readonly memory = { weights: 0, adapter: 0, optimizer: 0, activations: 0, batch: 0, kvCache: 0, total: 0 };
  readonly tokensPerMicroBatch = 64;
  readonly stepsAhead = 1;
  private values = Float32Array.of(1, 0.5);
  private moments = new Float32Array(2);
  private queue: Promise<unknown> = Promise.resolve();
  private isLost = false;

  /** @param fault what the `at`th call of the counter meets */
  constructor(
    private readonly fault: 'device lost' | 'killed' | 'none',
    private readonly counter: Counter,
    readonly device = 'arithmetic',
  ) {}

  trainStep = ({ microBatches, learningRate }: StepInput) =>
    this.inTurn(() => {
      const tokens = microBatches.flatMap(({ inputIds }) => [...inputIds]);
      const target = tokens.reduce((sum, id, i) => sum + id * ((i % 7) + 1), 0) / 1e4;
      for (const i of this.values.keys()) {
        const gradient = this.values[i] - target * (i + 1);
        this.moments[i] = 0.9 * this.moments[i] + 0.1 * gradient;
        this.values[i] -= learningRate * this.moments[i];
      }
      return { loss: Math.abs(this.values[0] - target), gradNorm: Math.abs(this.moments[0]) };
    });
  score = ({ targets }: MicroBatch) =>
    this.inTurn(() => ({
      loss: Float32Array.from(targets, (target) => (target < 0 ? 0 : 1 / (1 + Math.abs(this.values[0])))),
      correct: new Float32Array(targets.length),
    }));
  generate = (prompts: number[][], { stopTokenIds }: GenerationOptions) =>
    this.inTurn(() => prompts.map(() => [65, stopTokenIds[0] ?? 0]));
  readAdapter = () => this.inTurn(() => tensors(this.values.slice()));
  loadAdapter = (adapter: AdapterTensors) => this.inTurn(() => void (this.values = valuesOf(adapter)));
  readOptimizer = () =>
    this.inTurn((): OptimizerState => ({
      expAvg: tensors(this.moments.slice()),
      expAvgSq: tensors(new Float32Array(2)),
      steps: 0,
    }));
  loadOptimizer = ({ expAvg }: OptimizerState) => this.inTurn(() => void (this.moments = valuesOf(expAvg)));
  dispose = () => undefined;

  private inTurn<T>(work: () => T): Promise<T> {
    const result = this.queue.then(async () => {
      if (this.counter.isDead) return new Promise<never>(() => undefined);
      if (this.fault !== 'none' && this.counter.next()) {
        if (this.fault === 'killed') return this.counter.kill();
        this.isLost = true;
      }
      if (this.isLost) throw new DeviceLostError('The GPU was lost (a fault).');
      return work();
    });
    this.queue = result.catch(() => undefined);
    return result;
  }
}

const NAME = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
const tensors = (data: Float32Array): AdapterTensors => new Map([[NAME, { shape: [1, 2], data }]]);
const valuesOf = (adapter: AdapterTensors) => Float32Array.from(adapter.get(NAME)!.data);
