/**
 * The worker that scores answers, as its owner sees it: started when it is first needed, ended where a call
 * does not come back, and started again for the next one.
 */
import { wrap, type Remote } from 'comlink';
import { CALL_LIMITS, tookTooLong } from '../../training/scoring/callLimits.ts';
import type { AnswerScorer, ScoringFunction, ScoredAnswer } from '../../training/scoring/answerScorer.ts';
import { receiveErrors } from '../errorForwarding.ts';
import { spawnWorker } from '../spawnWorker.ts';
import type { ScoringApi } from './scoringProtocol.ts';
import scoringScript from './scoring.worker.ts?worker&url';

/** The interpreter ends a call by itself at its limit; what it cannot interrupt is ended with the worker. */
const WORKER_LIMIT_MS = 3 * CALL_LIMITS.milliseconds;

interface Started {
  api: Remote<ScoringApi>;
  worker: Worker;
  /** Resolves with the message of a crash. */
  crashed: Promise<string>;
}

export class ScoringWorker implements AnswerScorer {
  private started: Promise<Started> | null = null;

  /** @param functions that will be asked for */
  constructor(private readonly functions: readonly ScoringFunction[]) {}

  async score(made: ScoringFunction, answer: ScoredAnswer): Promise<number | null> {
    const { api, crashed } = await (this.started ??= this.start());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<{ fault: string }>((resolve) => {
      const fault = tookTooLong(CALL_LIMITS.milliseconds);
      timer = setTimeout(() => resolve({ fault }), WORKER_LIMIT_MS);
    });
    const ended = crashed.then((message) => ({ fault: `ended its worker: ${message}` }));
    const outcome = await Promise.race([
      api.score(made, answer).then((result) => ({ ...result, cameBack: true })),
      tooLong,
      ended,
    ]);
    clearTimeout(timer);
    if (!('cameBack' in outcome)) await this.dispose();
    if ('fault' in outcome) throw new Error(outcome.fault);
    return outcome.value;
  }

  async dispose(): Promise<void> {
    const started = this.started;
    this.started = null;
    (await started)?.worker.terminate();
  }

  private async start(): Promise<Started> {
    const worker = spawnWorker(scoringScript, 'scoring');
    const crashed = new Promise<string>((resolve) => receiveErrors(worker, resolve));
    const api = wrap<ScoringApi>(worker);
    await Promise.race([
      api.load(this.functions),
      crashed.then((message) => {
        throw new Error(`The worker that scores answers could not be started: ${message}`);
      }),
    ]);
    return { api, worker, crashed };
  }
}
