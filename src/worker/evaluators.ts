/** The trainer's side of the evaluation workers: serves them forward passes, asks them for evaluations, and knows which have died. */
import { expose, wrap } from 'comlink';
import type { Engine } from '../training/engine.ts';
import type { Evaluator } from '../training/evaluation.ts';
import type { EvaluateApi, EvaluationPorts, ScorerApi } from './protocol.ts';

interface Death {
  promise: Promise<never>;
  reject(error: Error): void;
}

export class Evaluators {
  /** By validation file: rejects what is waited for. A worker may die before the run begins. */
  private readonly deaths = new Map<string, Death>();

  /** Serves forward passes on one port and asks for the evaluation on the other. @param engine the one of now: a lost device's is replaced */
  connect({ name, scorer, evaluate }: EvaluationPorts, engine: () => Engine): Evaluator {
    const served: ScorerApi = {
      tokensPerMicroBatch: async () => engine().tokensPerMicroBatch,
      score: (batch) => engine().score(batch),
      generate: (prompts, options) => engine().generate(prompts, options),
    };
    expose(served, scorer);
    const remote = wrap<EvaluateApi>(evaluate);
    const { promise: died } = this.deathOf(name);
    return { name, evaluate: (step) => Promise.race([remote.evaluate(step), died]) };
  }

  died(name: string, message: string): void {
    this.deathOf(name).reject(new Error(message));
  }

  forget(): void {
    this.deaths.clear();
  }

  private deathOf(name: string): Death {
    let death = this.deaths.get(name);
    if (!death) {
      let reject!: (error: Error) => void;
      const promise = new Promise<never>((_, no) => (reject = no));
      promise.catch(() => undefined);
      this.deaths.set(name, (death = { promise, reject }));
    }
    return death;
  }
}
