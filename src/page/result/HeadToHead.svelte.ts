/**
 * A blind test over a validation file: the person says which of two answers to a row is better, without
 * knowing whose it is.
 */
import { mix32, randomKey } from '../../lib/counterRandom.ts';
import { signTest } from '../../lib/signTest.ts';
import { proxy } from '../../worker/client.ts';
import { testKey, type BlindTest, type VotedPair } from '../../worker/history/historyProtocol.ts';
import type { SamplingOptions } from '../../worker/trainer/trainerProtocol.ts';
import type { DataFile } from '../data/DataFile.svelte.ts';
import type { OtherAdapter } from './Chat.svelte.ts';
import type { ResultWorkers } from './resultWorkers.ts';
import { reported } from '../errors/reported.ts';

export interface Tally {
  tuned: number;
  base: number;
  tie: number;
  /** Probability of votes at least this uneven if there were no difference; without ties. */
  chance: number;
}

export class HeadToHead {
  /** Comparisons, one a set and opponent; kept with the run. */
  tests = $state<BlindTest[]>([]);
  /** `testKey` of the one that is shown. */
  current = $state<string | null>(null);
  /** Whose answers a new test has beside the run's own; null: the base model's. */
  against = $state.raw<OtherAdapter | null>(null);
  /** Rows that are being answered. */
  expected = $state(0);
  answering = $state(false);
  error = $state<string | null>(null);

  constructor(
    private readonly runId: string,
    private readonly sampling: SamplingOptions,
    private readonly workers: ResultWorkers,
    tests: readonly BlindTest[],
  ) {
    this.tests = [...tests];
    const last = tests.at(-1);
    this.current = last ? testKey(last) : null;
  }

  get test(): BlindTest | null {
    return this.tests.find((test) => testKey(test) === this.current) ?? null;
  }

  /** The first pair without a vote. */
  get open(): VotedPair | null {
    return this.test?.pairs.find(({ vote }) => vote === null) ?? null;
  }

  get voted(): number {
    return this.test?.pairs.filter(({ vote }) => vote !== null).length ?? 0;
  }

  get tally(): Tally {
    const count = (vote: VotedPair['vote']) =>
      this.test?.pairs.filter((pair) => pair.vote === vote).length ?? 0;
    const [tuned, base, tie] = [count('tuned'), count('base'), count('tie')];
    return { tuned, base, tie, chance: signTest(tuned, base) };
  }

  /** Has both answer the first rows of a set. The seed decides which of the two is shown as A. */
  async start(file: DataFile, rows: number, seed: number): Promise<void> {
    this.error = null;
    this.answering = true;
    try {
      const questions = await file.askEvaluation((api) => api.questions(rows));
      this.expected = questions.length;
      const against = this.against;
      const test: BlindTest = {
        name: file.name,
        ...(against ? { against } : {}),
        seed,
        sampling: { ...this.sampling, seed },
        pairs: [],
      };
      const key = testKey(test);
      this.tests = [...this.tests.filter((other) => testKey(other) !== key), test];
      this.current = key;
      const onPair = (index: number, base: string, tuned: string) => {
        const { line, prompt, reference } = questions[index];
        const pair = { line, prompt, reference, base, tuned };
        this.test?.pairs.push({ ...pair, tunedIsA: tunedIsA(seed, index), vote: null });
      };
      const prompts = questions.map(({ promptIds }) => promptIds);
      await this.workers.trainer.ask((api) =>
        api.answerPairs({ runId: this.runId, against }, prompts, test.sampling, proxy(onPair)),
      );
    } catch (error) {
      this.error = reported(error, 'answering for a blind test');
    }
    this.answering = false;
    await this.keep();
  }

  async vote(choice: 'A' | 'B' | 'tie'): Promise<void> {
    const pair = this.open;
    if (!pair) return;
    pair.vote = choice === 'tie' ? 'tie' : (choice === 'A') === pair.tunedIsA ? 'tuned' : 'base';
    await this.keep();
  }

  async stop(): Promise<void> {
    await this.workers.trainer.ask((api) => api.stopAnswers());
  }

  private async keep(): Promise<void> {
    const test = $state.snapshot(this.test);
    if (!test || test.pairs.length === 0) return;
    try {
      await this.workers.history.ask((api) => api.putVotes(this.runId, test));
    } catch (error) {
      this.error = reported(error, 'storing votes');
    }
  }
}

function tunedIsA(seed: number, index: number): boolean {
  return (randomKey(mix32(seed), index) & 1) === 1;
}
