/** A page that takes no events: what waits for it is bounded, and nothing of the curves is lost. */
import { describe, expect, it } from 'vitest';
import type { EvaluationResult } from '../../src/training/evaluation.ts';
import { MOST_KEPT_EVALUATIONS } from '../../src/training/kept/keptEvaluations.ts';
import { linesOf } from '../../src/training/kept/metricsLog.ts';
import { MOST_SHOWN_STEPS } from '../../src/training/reward/keptAnswers.ts';
import { PacedEvents } from '../../src/worker/trainer/pacedEvents.ts';
import type { TrainerWorkerEvent } from '../../src/worker/trainer/trainerProtocol.ts';

/** A page whose thread may be blocked: it acknowledges what it got once it is free. */
class Page {
  readonly taken: TrainerWorkerEvent[] = [];
  readonly inQueue: { event: TrainerWorkerEvent; acknowledge: () => void }[] = [];

  readonly receive = (event: TrainerWorkerEvent) =>
    new Promise<void>((resolve) => this.inQueue.push({ event, acknowledge: resolve }));

  /** Takes all that is there, and all that comes for it. */
  async free(events: PacedEvents): Promise<void> {
    const settled = events.settled();
    while (this.inQueue.length > 0) {
      const { event, acknowledge } = this.inQueue.shift()!;
      this.taken.push(event);
      acknowledge();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settled;
  }

  of<Type extends TrainerWorkerEvent['type']>(type: Type) {
    return this.taken.filter((event): event is TrainerWorkerEvent & { type: Type } => event.type === type);
  }

  /** Steps of all training lines, in the order in which they were taken. */
  get steps(): number[] {
    return this.taken.flatMap((event) => {
      if (event.type === 'metrics') return [event.line.step];
      return event.type === 'lines' ? linesOf(event.lines).map(({ step }) => step) : [];
    });
  }
}

const line = (step: number) => ({ step, epoch: 0, loss: 1 / step, learning_rate: 1e-3 });
const progress = (step: number) =>
  ({ type: 'progress', step, totalSteps: 1e5, tokensPerSecond: 1, secondsLeft: 1 }) as const;
const result = (loss: number) =>
  ({ metrics: { loss }, answers: [{ row: 0 }] }) as unknown as EvaluationResult;
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

function train(events: PacedEvents, from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    events.push({ type: 'metrics', line: line(step) });
    events.push(progress(step));
  }
}

describe('events of a run whose page is blocked', () => {
  it('are a few messages and one copy of the curves, and the page has all lines once it is free', async () => {
    const page = new Page();
    const events = new PacedEvents(page.receive);
    train(events, 1, 20_000);
    expect(page.inQueue.length).toBe(64);
    // 32 steps are under way; of the rest the lines and the newest progress wait.
    expect(events.held).toBe(20_000 - 32 + 1);
    await page.free(events);
    expect(events.held).toBe(0);
    expect(page.taken.length).toBe(64 + 2);
    expect(page.steps).toEqual(upTo(20_000));
    expect(page.of('progress').at(-1)).toEqual(progress(20_000));
    const last = page.of('lines').flatMap(({ lines }) => linesOf(lines));
    expect(last.at(-1)).toEqual(line(20_000));
  });

  it('go on one by one and in order where the page keeps up', async () => {
    const page = new Page();
    const events = new PacedEvents(page.receive);
    train(events, 1, 3);
    await page.free(events);
    train(events, 4, 5);
    await page.free(events);
    expect(page.taken.map(({ type }) => type)).toEqual(upTo(5).flatMap(() => ['metrics', 'progress']));
    expect(page.steps).toEqual(upTo(5));
  });

  it('have every evaluation, and the answers of as many as the page keeps', async () => {
    const page = new Page();
    const events = new PacedEvents(page.receive);
    train(events, 1, 40);
    for (const step of upTo(500)) {
      events.push({ type: 'evaluating', step });
      for (const name of ['a', 'b'])
        events.push({ type: 'evaluated', step, name, result: result(Math.abs(step - 77)) });
    }
    await page.free(events);
    for (const name of ['a', 'b']) {
      const ofSet = page.of('evaluated').filter((event) => event.name === name);
      expect(ofSet.map(({ step }) => step)).toEqual(upTo(500));
      const answered = ofSet.filter((event) => event.result.answers.length > 0).map(({ step }) => step);
      expect(answered.length).toBe(MOST_KEPT_EVALUATIONS);
      for (const step of [1, 77, 500]) expect(answered).toContain(step);
    }
    expect(page.of('evaluating').map(({ step }) => step)).toEqual([500]);
  });

  it('have the sampled answers of the steps that the page shows', async () => {
    const page = new Page();
    const events = new PacedEvents(page.receive);
    train(events, 1, 40);
    for (const step of upTo(250)) events.push({ type: 'sampled', step, groups: [] });
    await page.free(events);
    expect(page.of('sampled').map(({ step }) => step)).toEqual(upTo(250).slice(-MOST_SHOWN_STEPS));
  });

  it('have no line twice where the run went back to a checkpoint meanwhile', async () => {
    const page = new Page();
    const events = new PacedEvents(page.receive);
    train(events, 1, 100);
    events.push({ type: 'deviceLost', step: 50, message: 'gone' });
    events.push({ type: 'restored', step: 50, lines: upTo(50).map(line) });
    train(events, 51, 120);
    await page.free(events);
    const from = page.taken.findIndex(({ type }) => type === 'restored');
    const later = page.taken.slice(from + 1).flatMap((event) => {
      return event.type === 'lines' ? linesOf(event.lines).map(({ step }) => step) : [];
    });
    expect(later).toEqual(upTo(120).slice(50));
    expect(page.of('deviceLost').length).toBe(1);
  });

  it('reach a listener of this thread at once', () => {
    const taken: number[] = [];
    const events = new PacedEvents((event) => void (event.type === 'progress' && taken.push(event.step)));
    train(events, 1, 500);
    expect(taken).toEqual(upTo(500));
    expect(events.held).toBe(0);
  });
});
