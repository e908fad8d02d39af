/** Answers and scores with the adapter of a run: of the last one, or of any kept run. */
import type { DocumentTable } from '../../data/documentTable.ts';
import { packDocuments } from '../../data/packing.ts';
import { isDeviceLost } from '../../lib/errors.ts';
import { report } from '../../lib/errorLog.ts';
import type { Database } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import type { EngineHost } from '../../engine/engineHost.ts';
import { keptHead } from '../../engine/headDtype.ts';
import type { Engine, EngineProgress } from '../../engine/engine.ts';
import { promptIds, readAnsweringModel, type AnsweringModel } from './answers/answeringModel.ts';
import { documentLosses } from './documentLosses.ts';
import { ended, growing, whole } from '../../data/tokenizer/answerText.ts';
import { PromptAnswers } from './answers/promptAnswers.ts';
import { canShareEngine, holds, readHeldAdapter } from './heldAdapter.ts';
import type { HeldAdapter, WhichAdapter } from './heldAdapter.ts';
import type {
  ChatReply,
  ChatRequest,
  OnPair,
  PairRequest,
  SamplingOptions,
  TokenLosses,
} from './trainerProtocol.ts';

export class Answering {
  private held: HeldAdapter | null = null;
  private model: { id: string; made: Promise<AnsweringModel> } | null = null;
  /** Answers that are being written. */
  private readonly open = new Set<{ stopped: boolean }>();

  constructor(
    private readonly database: Promise<Database>,
    private readonly engines: EngineHost,
  ) {}

  /** A run has ended: its engine answers from now on. */
  take(held: HeldAdapter): void {
    this.held = held;
  }

  /** A run takes the device. */
  yieldEngine(): void {
    this.stop();
    if (this.held) this.held.engine = null;
  }

  stop(): void {
    for (const answer of this.open) answer.stopped = true;
  }

  openResult(runId: string, onProgress?: (progress: EngineProgress) => void): Promise<void> {
    return this.using({ runId }, async () => undefined, onProgress);
  }

  chat(
    { runId, step, conversations, sampling }: ChatRequest,
    onText: (conversation: number, text: string) => void,
  ): Promise<ChatReply[]> {
    return this.using({ runId, step }, async (engine, held) => {
      const model = await this.modelOf(held.modelId);
      const { tokenizer } = model;
      const prompts = promptIds(
        model,
        held.recipe,
        conversations.map(({ messages }) => messages),
        sampling.maxNewTokens,
      );
      const answer = { stopped: false };
      const made = await this.writing(answer, () =>
        engine.generate(
          prompts,
          {
            ...sampling,
            stopTokenIds: tokenizer.stopTokenIds,
            adapterScales: conversations.map(({ adapterScale }) => adapterScale),
            streams: prompts.map(() => 0),
          },
          { onIds: (i, ids) => onText(i, growing(tokenizer, ids)), stopped: () => answer.stopped },
        ),
      );
      return made.map((ids) => ({
        text: whole(tokenizer, ids),
        tokens: ids.length,
        ended: ended(ids, tokenizer, sampling),
      }));
    });
  }

  /** @param against whose answers stand beside the run's; null: the base model's */
  answerPairs(
    { runId, against }: PairRequest,
    prompts: readonly number[][],
    sampling: SamplingOptions,
    onPair: OnPair,
  ): Promise<void> {
    const answer = { stopped: false };
    const write = (
      which: WhichAdapter,
      scales: readonly number[],
      count: number,
      onTexts: (index: number, texts: string[]) => unknown,
    ) => {
      const work = new PromptAnswers({ prompts: prompts.slice(0, count), scales, sampling, answer, onTexts });
      return this.using(which, async (engine, held) =>
        work.goOn(engine, (await this.modelOf(held.modelId)).tokenizer),
      );
    };
    return this.writing(answer, async () => {
      if (!against)
        return write({ runId }, [0, 1], prompts.length, (i, [base, tuned]) => onPair(i, base, tuned));
      // Two adapters may need an engine each: one answers everything before the other begins.
      const own: string[] = [];
      await write({ runId }, [1], prompts.length, (i, [text]) => (own[i] = text));
      await write(against, [1], own.length, (i, [text]) => onPair(i, text, own[i]));
    });
  }

  tokenLosses(runId: string, inputIds: readonly number[], adapterScale: number): Promise<TokenLosses> {
    return this.using({ runId }, async (engine, held) => {
      const ids = inputIds.slice(0, engine.tokensPerMicroBatch);
      const { padTokenId } = (await this.modelOf(held.modelId)).tokenizer;
      const [batch] = packDocuments([{ inputIds: ids, labels: ids }], {
        tokens: engine.tokensPerMicroBatch,
        padTokenId,
      });
      // The loss of a token is at the position that predicts it: one before.
      const ofTokens = (scores: Float32Array) =>
        Float32Array.from(inputIds, (_, i) => (i > 0 && i < ids.length ? scores[i - 1] : NaN));
      return {
        base: ofTokens((await engine.score(batch, 0)).loss),
        tuned: ofTokens((await engine.score(batch, adapterScale)).loss),
      };
    });
  }

  /** @returns the mean loss of each document's supervised tokens; NaN where it was not scored */
  documentLosses(
    runId: string,
    documents: DocumentTable,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float32Array> {
    return this.using({ runId }, async (engine, held) => {
      const { padTokenId } = (await this.modelOf(held.modelId)).tokenizer;
      const answer = { stopped: false };
      return this.writing(answer, () =>
        documentLosses(documents, padTokenId, engine, { onProgress, stopped: () => answer.stopped }),
      );
    });
  }

  /** @param longest tokens of the longest row that is scored: the engine is made for so many */
  async scoring<T>(runId: string, longest: number, work: (engine: Engine) => Promise<T>): Promise<T> {
    const held = await this.heldOf({ runId });
    if (held.tokensPerMicroBatch < longest) {
      held.tokensPerMicroBatch = Math.ceil(longest / 32) * 32;
      held.engine = null;
      this.held = held;
    }
    return this.using({ runId }, work);
  }

  /**
   * Runs work on an engine that holds the run's adapter; a second time where the device is lost meanwhile.
   */
  private async using<T>(
    which: WhichAdapter,
    work: (engine: Engine, held: HeldAdapter) => Promise<T>,
    onProgress?: (progress: EngineProgress) => void,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const held = await this.holding(which, onProgress);
        return await work(held.engine!, held);
      } catch (error) {
        if (!isDeviceLost(error) || attempt > 0) throw error;
        report(error, 'answering', 'warning');
        if (this.held) this.held.engine = null;
      }
    }
  }

  private async holding(
    which: WhichAdapter,
    onProgress?: (progress: EngineProgress) => void,
  ): Promise<HeldAdapter> {
    const held = await this.heldOf(which);
    if (held.engine) return held;
    const before = this.held;
    if (before?.engine && before !== held && canShareEngine(before, held)) {
      const { engine, tokensPerMicroBatch } = before;
      before.engine = null;
      await engine.loadAdapter(held.adapter);
      return (this.held = { ...held, engine, tokensPerMicroBatch });
    }
    // The engine that held another adapter is disposed by the next create().
    const { weights } = await openModel(await this.database, held.modelId);
    if (this.held) this.held.engine = null;
    const { recipe, tokensPerMicroBatch } = held;
    // The run's own level, so that answers and losses are what they were.
    const level = held.kernels && (await this.engines.canRun(held.kernels)) ? held.kernels.level : undefined;
    const engine = await this.engines.create({
      weights,
      lora: recipe.lora,
      tokensPerMicroBatch,
      gradientCheckpointing: true,
      headDtype: keptHead(held.headInQ8_0),
      training: false,
      level,
      seed: 0,
      onProgress,
    });
    await engine.loadAdapter(held.adapter);
    held.engine = engine;
    this.held = held;
    return held;
  }

  private async heldOf(which: WhichAdapter): Promise<HeldAdapter> {
    if (this.held && holds(this.held, which)) return this.held;
    return readHeldAdapter(await this.database, which);
  }

  private writing<T>(answer: { stopped: boolean }, work: () => Promise<T>): Promise<T> {
    this.open.add(answer);
    return work().finally(() => this.open.delete(answer));
  }

  private modelOf(id: string): Promise<AnsweringModel> {
    if (this.model?.id !== id) {
      const made = readAnsweringModel(this.database, id);
      this.model = { id, made };
      // The caller gets the error; a model that is stored again is read again.
      made.catch(() => (this.model = null));
    }
    return this.model.made;
  }
}
