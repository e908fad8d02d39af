/**
 * A conversation with the tuned model and with the base model: the same questions, seed and sampling, each
 * with its own answers.
 */
import { t } from '../language/messages.svelte.ts';
import { withListener } from '../../worker/client.ts';
import type { ChatMessage } from '../../data/template/chatTemplate.ts';
import type { ChatReply, EngineProgress, SamplingOptions } from '../../worker/trainer/trainerProtocol.ts';
import type { ResultWorkers } from './resultWorkers.ts';
import { reported } from '../errors/reported.ts';
export type Side = 'tuned' | 'base';

export interface Answer {
  text: string;
  /** In percent, when the answer was written. */
  adapterScale: number;
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

  async ask(question: string): Promise<void> {
    if (this.busy) return;
    this.turns.push({ question, answers: {} });
    await this.write(this.sideBySide ? ['base', 'tuned'] : ['tuned']);
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
    if (this.turns.length > 0) await this.write(this.sideBySide ? ['base', 'tuned'] : ['tuned']);
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
    const { adapterScale } = this;
    for (const side of sides)
      turn.answers[side] = {
        text: '',
        adapterScale: side === 'tuned' ? adapterScale : 0,
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
      const conversations = sides.map((side) => ({
        messages: this.messages(side),
        adapterScale: side === 'tuned' ? adapterScale / 100 : 0,
      }));
      const onText = (i: number, text: string) => {
        turn.answers[sides[i]]!.text = text;
      };
      const request = { runId: this.runId, conversations, sampling: $state.snapshot(this.sampling) };
      const replies = await withListener(onText, (send) =>
        this.workers.trainer.ask((api) => api.chat(request, send)),
      );
      replies.forEach((reply, i) => Object.assign(turn.answers[sides[i]]!, reply));
    } catch (error) {
      this.error = reported(error, 'chatting');
      for (const side of sides) if (turn.answers[side]!.text === '') delete turn.answers[side];
    }
    for (const side of sides) if (turn.answers[side]) turn.answers[side].writing = false;
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
