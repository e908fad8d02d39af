/**
 * A conversation with the tuned model and with the base model: the same questions, seed and sampling, each
 * with its own answers.
 */
import { t } from '../language/messages.svelte.ts';
import { withListener } from '../../worker/client.ts';
import type { ChatMessage } from '../../data/template/chatTemplate.ts';
import type {
  ChatReply,
  ChatRequest,
  EngineProgress,
  SamplingOptions,
} from '../../worker/trainer/trainerProtocol.ts';
import { KeptPrompts } from './KeptPrompts.svelte.ts';
import type { ResultWorkers } from './resultWorkers.ts';
import { reported } from '../errors/reported.ts';
/** other: a second adapter over the same base model. */
export type Side = 'tuned' | 'base' | 'other';

/** An adapter that answers beside the result's own: of another run, or of an earlier step. */
export interface OtherAdapter {
  runId: string;
  /** null: the adapter that the run ended with. */
  step: number | null;
  title: string;
}

export interface Answer {
  text: string;
  /** In percent, when the answer was written. */
  adapterScale: number;
  /** Whose answer it is, of `other`. */
  title?: string;
  writing: boolean;
  tokens: number;
  ended: ChatReply['ended'] | null;
}

export interface Turn {
  question: string;
  answers: Partial<Record<Side, Answer>>;
}

/** Milliseconds that the slider must rest before the last answer is written again. */
const REST_MS = 250;

export class Chat {
  turns = $state<Turn[]>([]);
  sideBySide = $state(true);
  other = $state.raw<OtherAdapter | null>(null);
  readonly kept = new KeptPrompts();
  /** Percent: 100 as trained, 0 the base model. */
  adapterScale = $state(100);
  sampling = $state<SamplingOptions>() as SamplingOptions;
  busy = $state(false);
  error = $state<string | null>(null);
  /** What the trainer does before the first answer, in words. */
  preparing = $state<string | null>(null);
  private rest: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when nothing is being written: a new question waits for it. */
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly runId: string,
    sampling: SamplingOptions,
    private readonly workers: ResultWorkers,
  ) {
    this.sampling = { ...sampling };
  }

  /** Who answers, from left to right. */
  get sides(): Side[] {
    return [
      ...(this.sideBySide ? (['base'] as const) : []),
      'tuned',
      ...(this.other ? (['other'] as const) : []),
    ];
  }

  async ask(question: string): Promise<void> {
    if (this.busy) return;
    this.kept.add(question);
    this.turns.push({ question, answers: {} });
    await this.write(this.sides);
  }

  /** The last question is answered by the other adapter too. @param other null: by none */
  async compareWith(other: OtherAdapter | null): Promise<void> {
    this.other = other;
    const last = this.turns.at(-1);
    if (other && last) await this.write(['other']);
  }

  /** The tuned model's answers to questions beside the conversation, all at once. */
  async answersTo(questions: readonly string[]): Promise<string[]> {
    const conversations = questions.map((content) => ({
      messages: [{ role: 'user' as const, content }],
      adapterScale: 1,
    }));
    const request = { runId: this.runId, conversations, sampling: $state.snapshot(this.sampling) };
    const replies = await withListener(
      () => undefined,
      (send) => this.workers.trainer.ask((api) => api.chat(request, send)),
    );
    return replies.map(({ text }) => text);
  }

  /** The slider moved: once it rests, the last answer is written again at this adapter scale. */
  setAdapterScale(percent: number): void {
    this.adapterScale = percent;
    clearTimeout(this.rest);
    if (this.turns.at(-1)?.answers.tuned) this.rest = setTimeout(() => void this.write(['tuned']), REST_MS);
  }

  /** Writes the last answers again, with what is set now. */
  async again(): Promise<void> {
    if (this.turns.length > 0) await this.write(this.sides);
  }

  async stop(): Promise<void> {
    await this.workers.trainer.ask((api) => api.stopAnswers());
  }

  async clear(): Promise<void> {
    clearTimeout(this.rest);
    await this.stop();
    await this.writing;
    this.turns = [];
    this.error = null;
  }

  private async write(sides: Side[]): Promise<void> {
    if (this.busy) await this.stop();
    const before = this.writing;
    const mine = before.then(() => this.writeNow(sides));
    this.writing = mine;
    await mine;
  }

  private async writeNow(sides: Side[]): Promise<void> {
    const turn = this.turns.at(-1);
    if (!turn) return;
    this.busy = true;
    this.error = null;
    const { adapterScale, other } = this;
    const scales = { base: 0, tuned: adapterScale, other: 100 };
    for (const side of sides)
      turn.answers[side] = {
        text: '',
        adapterScale: scales[side],
        title: side === 'other' ? other?.title : undefined,
        writing: true,
        tokens: 0,
        ended: null,
      };
    try {
      const onProgress = (progress: EngineProgress) => {
        this.preparing = t.run.preparing(progress);
      };
      await withListener(onProgress, (send) =>
        this.workers.trainer.ask((api) => api.openResult(this.runId, send)),
      );
      this.preparing = null;
      const sampling = $state.snapshot(this.sampling);
      const write = async (which: Pick<ChatRequest, 'runId' | 'step'>, asked: Side[]) => {
        const conversations = asked.map((side) => ({
          messages: this.messages(side),
          adapterScale: scales[side] / 100,
        }));
        const onText = (i: number, text: string) => {
          turn.answers[asked[i]]!.text = text;
        };
        const replies = await withListener(onText, (send) =>
          this.workers.trainer.ask((api) => api.chat({ ...which, conversations, sampling }, send)),
        );
        replies.forEach((reply, i) => Object.assign(turn.answers[asked[i]]!, reply, { writing: false }));
        return replies.some(({ ended }) => ended === 'stopped');
      };
      const own = sides.filter((side) => side !== 'other');
      const stopped = own.length > 0 && (await write({ runId: this.runId }, own));
      if (sides.includes('other') && other && !stopped)
        await write({ runId: other.runId, step: other.step ?? undefined }, ['other']);
    } catch (error) {
      this.error = reported(error, 'chatting');
      for (const side of sides) if (turn.answers[side]!.text === '') delete turn.answers[side];
    }
    for (const side of sides) {
      const answer = turn.answers[side];
      if (answer?.writing && answer.text === '') delete turn.answers[side];
      else if (answer) answer.writing = false;
    }
    this.preparing = null;
    this.busy = false;
  }

  /** The conversation of one side. A turn that this side did not answer is left out. */
  private messages(side: Side): ChatMessage[] {
    const last = this.turns.length - 1;
    return this.turns.flatMap(({ question, answers }, i): ChatMessage[] => {
      if (i === last) return [{ role: 'user', content: question }];
      const answer = answers[side];
      return answer
        ? [
            { role: 'user', content: question },
            { role: 'assistant', content: answer.text },
          ]
        : [];
    });
  }
}
