/**
 * The trainer's side of the evaluation workers: serves them forward passes, asks them for evaluations, and
 * knows which have died. A worker that replaces another is asked for the evaluation that the other did not
 * finish, at the same step, so that neither the training nor the other files notice.
 */
import { expose, wrap, type Remote } from 'comlink';
import { handledElsewhere } from '../../lib/promises.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Evaluator } from '../../training/evaluation.ts';
import type { EvaluatorApi, EvaluationPorts, ScorerApi } from '../evaluation/evaluationProtocol.ts';

/** What of an engine an evaluation uses. */
export type ScoringEngine = Pick<Engine, 'tokensPerMicroBatch' | 'score' | 'generate'>;

/** A worker ended, and another takes its place. */
class Replaced extends Error {}

interface Connection {
  remote: Remote<EvaluatorApi>;
  /** Rejects when the worker ends: what it was asked is never answered. */
  died: Promise<never>;
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export class EvaluationClients {
  private readonly links = new Map<string, Link>();
  private isRunning = false;

  /** A run begins: deaths of workers count from now on. */
  begin(): void {
    this.links.clear();
    this.isRunning = true;
  }

  /**
   * Serves forward passes on one port and asks for the evaluation on the other.
   * @param engine the current one: a lost device's engine is replaced
   */
  connect(ports: EvaluationPorts, engine: () => ScoringEngine): Evaluator {
    const { name } = ports;
    const link = this.linkOf(name);
    link.begin(ports, engine);
    return { name, evaluate: (step) => link.evaluate(step) };
  }

  /**
   * A worker may die before it is connected.
   * @param restarting another worker reads its file and will be connected by `replace`
   */
  died(name: string, message: string, restarting: boolean): void {
    if (this.isRunning) this.linkOf(name).end(restarting ? new Replaced(message) : new Error(message));
  }

  replace(ports: EvaluationPorts): void {
    if (this.isRunning) this.linkOf(ports.name).replace(ports);
  }

  end(): void {
    this.isRunning = false;
    this.links.clear();
  }

  private linkOf(name: string): Link {
    let link = this.links.get(name);
    if (!link) this.links.set(name, (link = new Link()));
    return link;
  }
}

/** The connection to one validation file's worker, which may be replaced. */
class Link {
  private engine: (() => ScoringEngine) | null = null;
  private current = deferred<Connection>();
  private death = deferred<never>();
  /** Ports of the current worker, until there is an engine to serve on them. */
  private waiting: EvaluationPorts | null = null;
  private deaths = 0;
  private isOpen = false;

  begin(ports: EvaluationPorts, engine: () => ScoringEngine): void {
    this.engine = engine;
    const alive = this.deaths === 0 ? ports : this.waiting;
    if (alive) this.open(alive);
  }

  replace(ports: EvaluationPorts): void {
    if (this.engine) this.open(ports);
    else this.waiting = ports;
  }

  end(error: Error): void {
    this.deaths++;
    this.waiting = null;
    this.death.reject(error);
    if (!(error instanceof Replaced)) {
      this.current.reject(error);
      return;
    }
    this.death = deferred();
    // Whoever waits for a connection waits for the next one.
    if (this.isOpen) this.current = deferred();
    this.isOpen = false;
  }

  async evaluate(step: number): ReturnType<EvaluatorApi['evaluate']> {
    for (;;) {
      try {
        const { remote, died } = await this.current.promise;
        return await Promise.race([remote.evaluate(step), died]);
      } catch (error) {
        // The worker was replaced: its successor is asked.
        if (!(error instanceof Replaced)) throw error;
      }
    }
  }

  private open({ scorer, evaluator }: EvaluationPorts): void {
    const engine = this.engine!;
    let isAlive = true;
    const { promise: died } = this.death;
    // evaluate() throws the error: this only notes the end.
    died.catch(() => {
      isAlive = false;
    });
    const served: ScorerApi = {
      tokensPerMicroBatch: async () => engine().tokensPerMicroBatch,
      score: (batch, adapterScale) => engine().score(batch, adapterScale),
      // Nobody waits for the answers of a worker that has died.
      generate: (prompts, options) => engine().generate(prompts, options, { stopped: () => !isAlive }),
    };
    expose(served, scorer);
    this.isOpen = true;
    this.current.resolve({ remote: wrap<EvaluatorApi>(evaluator), died });
  }
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  handledElsewhere(promise);
  return { promise, resolve, reject };
}
