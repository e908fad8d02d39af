/** Answers to prompts, some at a time, by an engine that may be replaced meanwhile. */
import { whole } from '../../../data/tokenizer/answerText.ts';
import type { ChatTokenizer } from '../../../data/tokenizer/chatTokenizer.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { SamplingOptions } from '../trainerProtocol.ts';

/** Prompts that are answered at once. */
const AT_ONCE = 4;

interface Request {
  prompts: readonly number[][];
  /** Of the adapter: each prompt is answered once by each, by the same random numbers. */
  scales: readonly number[];
  sampling: SamplingOptions;
  answer: { readonly stopped: boolean };
  /** Receives the answers to a prompt, one a scale; the next are written once it has returned. */
  onTexts: (index: number, texts: string[]) => unknown;
}

export class PromptAnswers {
  /** Prompts that are answered: on another device the work goes on from there. */
  private done = 0;

  constructor(private readonly request: Request) {}

  async goOn(engine: Engine, tokenizer: ChatTokenizer): Promise<void> {
    const { prompts, scales, sampling, answer, onTexts } = this.request;
    while (this.done < prompts.length && !answer.stopped) {
      const first = this.done;
      const some = prompts.slice(first, first + AT_ONCE);
      const options = {
        ...sampling,
        stopTokenIds: tokenizer.stopTokenIds,
        adapterScales: some.flatMap(() => scales),
        streams: some.flatMap((_, i) => scales.map(() => first + i)),
      };
      const made = await engine.generate(
        some.flatMap((prompt) => scales.map(() => prompt)),
        options,
        { stopped: () => answer.stopped },
      );
      if (answer.stopped) return;
      const texts = made.map((ids) => whole(tokenizer, ids));
      for (const i of some.keys())
        await onTexts(first + i, texts.slice(i * scales.length, (i + 1) * scales.length));
      this.done += some.length;
    }
  }
}
