/** Evaluation workers that end and are started again, by ports in this process. */
import { expose, wrap, type Remote } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine, GenerationWatch } from '../../src/engine/engine.ts';
import type { EvaluationResult } from '../../src/training/evaluation.ts';
import { EvaluationClients } from '../../src/worker/trainer/evaluationClients.ts';
import type {
  EvaluatorApi,
  EvaluationPorts,
  ScorerApi,
} from '../../src/worker/evaluation/evaluationProtocol.ts';

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** A worker's two ports: what it does when asked, and the engine as it sees it. */
function worker(
  name: string,
  evaluate: (step: number, engine: Remote<ScorerApi>) => Promise<EvaluationResult>,
): EvaluationPorts {
  const [scorer, own] = [new MessageChannel(), new MessageChannel()];
  open.push(scorer.port1, scorer.port2, own.port1, own.port2);
  const engine = wrap<ScorerApi>(scorer.port1);
  const served: EvaluatorApi = { evaluate: (step) => evaluate(step, engine) };
  expose(served, own.port1);
  return { name, scorer: scorer.port2, evaluator: own.port2 };
}

const result = (loss: number): EvaluationResult => ({
  metrics: { loss, perplexity: Math.exp(loss), token_accuracy: 0 },
  answers: [],
});
const never = new Promise<never>(() => undefined);
const engine = { tokensPerMicroBatch: 32 } as Engine;

describe('evaluationClients', () => {
  it('asks a worker that was started again for the step that its predecessor did not answer', async () => {
    const evaluationClients = new EvaluationClients();
    evaluationClients.begin();
    const asked: number[] = [];
    const a = evaluationClients.connect(
      worker('a', async (step) => {
        asked.push(step);
        return step === 0 ? result(0) : never;
      }),
      () => engine,
    );
    const b = evaluationClients.connect(
      worker('b', async (step) => result(step)),
      () => engine,
    );
    expect((await a.evaluate(0)).metrics.loss).toBe(0);
    const waiting = a.evaluate(4);
    expect((await b.evaluate(4)).metrics.loss).toBe(4);
    await expect.poll(() => asked).toEqual([0, 4]);
    evaluationClients.died('a', 'memory ran out', true);
    evaluationClients.replace(
      worker('a', async (step, remote) => result(step + (await remote.tokensPerMicroBatch()))),
    );
    expect((await waiting).metrics.loss).toBe(36);
    expect((await a.evaluate(8)).metrics.loss).toBe(40);
  });

  it('fails the file alone where its worker ends for good, while asked and ever after', async () => {
    const evaluationClients = new EvaluationClients();
    evaluationClients.begin();
    const a = evaluationClients.connect(
      worker('a', () => never),
      () => engine,
    );
    const waiting = a.evaluate(4);
    evaluationClients.died('a', 'first', true);
    evaluationClients.died('a', 'its file could not be read again', false);
    await expect(waiting).rejects.toThrow('its file could not be read again');
    await expect(a.evaluate(8)).rejects.toThrow('its file could not be read again');
  });

  it('hears nothing of workers that end between runs', async () => {
    const evaluationClients = new EvaluationClients();
    evaluationClients.died('a', 'between', false);
    evaluationClients.begin();
    const a = evaluationClients.connect(
      worker('a', async () => result(1)),
      () => engine,
    );
    expect((await a.evaluate(0)).metrics.loss).toBe(1);
    evaluationClients.end();
    evaluationClients.died('a', 'after', true);
    evaluationClients.begin();
    const again = evaluationClients.connect(
      worker('a', async () => result(2)),
      () => engine,
    );
    expect((await again.evaluate(0)).metrics.loss).toBe(2);
  });

  it('takes what happened before the worker was connected: an end, and another worker', async () => {
    const evaluationClients = new EvaluationClients();
    evaluationClients.begin();
    evaluationClients.died('a', 'early', true);
    evaluationClients.replace(worker('a', async () => result(7)));
    evaluationClients.died('b', 'early', false);
    const dead = worker('a', () => never);
    const a = evaluationClients.connect(dead, () => engine);
    const b = evaluationClients.connect(
      worker('b', () => never),
      () => engine,
    );
    expect((await a.evaluate(0)).metrics.loss).toBe(7);
    await expect(b.evaluate(0)).rejects.toThrow('early');
    evaluationClients.died('c', 'early', true);
    const c = evaluationClients.connect(
      worker('c', () => never),
      () => engine,
    );
    const waiting = c.evaluate(0);
    evaluationClients.replace(worker('c', async () => result(9)));
    expect((await waiting).metrics.loss).toBe(9);
  });

  it('lets the engine stop generating for a worker that is gone', async () => {
    const evaluationClients = new EvaluationClients();
    evaluationClients.begin();
    let watched: GenerationWatch | undefined;
    const busy = {
      generate: async (_prompts: number[][], _options: object, watch: GenerationWatch) => {
        watched = watch;
        return never;
      },
    } as unknown as Engine;
    const a = evaluationClients.connect(
      worker('a', async (_, remote) => {
        await remote.generate([[1]], {
          maxNewTokens: 1,
          stopTokenIds: [],
          doSample: false,
          temperature: 1,
          topP: 1,
          seed: 0,
        });
        return result(0);
      }),
      () => busy,
    );
    const waiting = a.evaluate(0);
    await expect.poll(() => watched?.stopped?.()).toBe(false);
    evaluationClients.died('a', 'gone', false);
    await expect(waiting).rejects.toThrow('gone');
    expect(watched!.stopped!()).toBe(true);
  });
});
