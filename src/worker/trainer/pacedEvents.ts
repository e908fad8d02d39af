/**
 * Back-pressure between trainer and page. A page whose thread is blocked (a busy tab, a debugger) takes no
 * events, and a fast trainer would fill its queue of messages: so a few events are under way at most, and
 * those that wait take the room of one copy of the run's curves, however long the page is away.
 */
import type { EvaluationResult } from '../../training/evaluation.ts';
import { superfluousStep } from '../../training/kept/keptEvaluations.ts';
import { MetricsLog } from '../../training/kept/metricsLog.ts';
import { MOST_SHOWN_STEPS } from '../../training/reward/keptAnswers.ts';
import type { TrainerWorkerEvent } from './trainerProtocol.ts';

type Evaluated = TrainerWorkerEvent & { type: 'evaluated' };

/** Events that were sent and not yet acknowledged. */
const MOST_UNDER_WAY = 64;
/** Of these the newest says all: an earlier one that still waits is dropped. */
const SUPERSEDED = new Set<TrainerWorkerEvent['type']>([
  'progress',
  'engine',
  'scoringReference',
  'evaluating',
  'checkpoint',
  'checkpointFailed',
  'paused',
]);

export class PacedEvents {
  private underWay = 0;
  private waiting: TrainerWorkerEvent[] = [];
  /** Lines that wait, as columns. They go after the other events: one of those may be 'restored'. */
  private lines = new MetricsLog();
  private readonly whenIdle: (() => void)[] = [];

  /** @param send its promise is the page's acknowledgement; where it returns none, nothing ever waits */
  constructor(private readonly send: (event: TrainerWorkerEvent) => unknown) {}

  /** Events and lines that wait for the page. */
  get held(): number {
    return this.waiting.length + this.lines.length;
  }

  push(event: TrainerWorkerEvent): void {
    if (this.underWay < MOST_UNDER_WAY && this.held === 0) this.dispatch(event);
    else this.hold(event);
  }

  /** Resolves when the page has taken every event. */
  settled(): Promise<void> {
    return this.underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  private dispatch(event: TrainerWorkerEvent): void {
    const acknowledged = this.send(event);
    if (!(acknowledged instanceof Promise)) return;
    this.underWay++;
    void acknowledged.finally(() => this.acknowledge());
  }

  private acknowledge(): void {
    this.underWay--;
    while (this.underWay < MOST_UNDER_WAY && this.held > 0) this.dispatch(this.next());
    if (this.underWay === 0) for (const idle of this.whenIdle.splice(0)) idle();
  }

  private next(): TrainerWorkerEvent {
    const event = this.waiting.shift();
    if (event) return event;
    const lines = this.lines.stored();
    this.lines = new MetricsLog();
    return { type: 'lines', lines };
  }

  private hold(event: TrainerWorkerEvent): void {
    if (event.type === 'metrics') {
      this.lines.push(event.line);
      return;
    }
    // It brings all lines up to its step, and later ones are made again.
    if (event.type === 'restored') this.lines = new MetricsLog();
    if (SUPERSEDED.has(event.type)) this.waiting = this.waiting.filter(({ type }) => type !== event.type);
    this.waiting.push(event);
    if (event.type === 'sampled') this.dropSampled();
    if (event.type === 'evaluated') this.dropAnswers(event.name);
  }

  private dropSampled(): void {
    const sampled = this.waiting.filter(({ type }) => type === 'sampled');
    if (sampled.length > MOST_SHOWN_STEPS) this.waiting.splice(this.waiting.indexOf(sampled[0]), 1);
  }

  /** The figures of all evaluations stay; the answers of as many of a set as the page and storage keep. */
  private dropAnswers(name: string): void {
    const answered = this.waiting.filter(
      (event): event is Evaluated =>
        event.type === 'evaluated' && event.name === name && event.result.answers.length > 0,
    );
    const drop = superfluousStep(answered.map(({ step, result }) => ({ step, loss: result.metrics.loss })));
    const event = answered.find(({ step }) => step === drop);
    if (event) this.waiting[this.waiting.indexOf(event)] = { ...event, result: withoutAnswers(event.result) };
  }
}

function withoutAnswers(result: EvaluationResult): EvaluationResult {
  return { ...result, answers: [] };
}
