/** A base model with its adapters on this device's GPU, or on TensorFlow.js where there is none. */
import { DEFAULT_DATE_STRING, type ChatMessage } from '../data/template/chatTemplate.ts';
import { ended, growing, whole } from '../data/tokenizer/answerText.ts';
import type { ChatTokenizer } from '../data/tokenizer/chatTokenizer.ts';
import type { DeviceOwner } from '../engine/deviceOwner.ts';
import type { AdapterTensors, Engine, EngineOptions, GenerationOptions } from '../engine/engine.ts';
import { WebGpuEngine } from '../engine/webgpu/webgpuEngine.ts';
import type { PlayerManifest } from '../export/player/playerFolder.ts';
import type { WeightSource } from '../formats/tensors.ts';
import { UserError, isDeviceLost } from '../lib/errors.ts';
import { Turns } from '../lib/promises.ts';
import type { AdapterSet } from './adapterSet.ts';
import { TextStream } from './textStream.ts';
import type { Answer, ChatOptions } from './chatApi.ts';
import { loadFallback } from './loadFallback.ts';

/** What a model is played with; made by load(). */
export interface PlayedParts {
  weights: WeightSource;
  tokenizer: ChatTokenizer;
  adapters: AdapterSet;
  manifest: PlayerManifest;
  maxPositions: number;
  vocabularySize: number;
}

/** T of the prefill on a GPU. */
const PREFILL_TOKENS = 128;
/** TensorFlow.js computes a whole sequence for each token: sequences are rounded up to a multiple of this. */
const SEQUENCE_MULTIPLE = 64;

export class PlayedModel {
  /** Names of the adapters, the one that answers by default first. */
  readonly adapters: readonly string[];
  private engine: Engine | null = null;
  /** The adapter that the engine holds. */
  private held: string | null = null;
  private readonly turns = new Turns();

  constructor(
    private readonly parts: PlayedParts,
    private readonly devices: DeviceOwner,
    private readonly onProgress?: EngineOptions['onProgress'],
  ) {
    this.adapters = [...parts.adapters.tensors.keys()];
  }

  /** What it runs on, in words; null before the first answer. */
  get device(): string | null {
    return this.engine?.device ?? null;
  }

  /** Loads the weights now, so that the first answer does not wait for them. */
  prepare(): Promise<void> {
    return this.exclusively(async () => {
      await this.engineFor(PREFILL_TOKENS);
    });
  }

  /**
   * The pieces of an answer as they are made; together they are `answer`'s text. Ending the loop ends the
   * answer.
   * @throws UserError where the conversation is too long, or there is no such adapter
   */
  async *chat(
    messages: readonly ChatMessage[],
    options: ChatOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    const stream = new TextStream();
    const left = new AbortController();
    let sent = '';
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    const working = this.answer(messages, { ...options, signal }, (text) => {
      // White space at the end is held back: an answer has none there.
      const shown = text.trimEnd();
      if (!shown.startsWith(sent)) return;
      stream.push(shown.slice(sent.length));
      sent = shown;
    }).then(
      ({ text }) => {
        stream.push(text.slice(sent.length));
        stream.end();
      },
      (error: unknown) => stream.end(error),
    );
    try {
      yield* stream.read();
    } finally {
      left.abort();
      await working;
    }
  }

  /**
   * A whole answer with its ids and times.
   * @param onText is given all of the text so far
   * @throws UserError where the conversation is too long, or there is no such adapter
   */
  answer(
    messages: readonly ChatMessage[],
    options: ChatOptions = {},
    onText: (text: string) => void = () => undefined,
  ): Promise<Answer> {
    const started = performance.now();
    return this.exclusively(async () => {
      const { tokenizer } = this.parts;
      const { name, scale } = this.adapterOf(options);
      const promptIds = this.promptOf(messages, options);
      const sampling = this.samplingOf(options);
      const needed = promptIds.length + sampling.maxNewTokens;
      if (needed > this.parts.maxPositions)
        throw new UserError(
          `The conversation and maxNewTokens come to ${needed} tokens; this model knows ${this.parts.maxPositions} positions. Start a new conversation, or lower maxNewTokens.`,
        );
      let firstTokenMs = NaN;
      const generate = async () => {
        const engine = await this.engineFor(needed);
        await this.hold(engine, name);
        return engine.generate(
          [promptIds],
          { ...sampling, stopTokenIds: tokenizer.stopTokenIds, adapterScales: [scale], streams: [0] },
          {
            onIds: (_, ids) => {
              if (Number.isNaN(firstTokenMs)) firstTokenMs = performance.now() - started;
              onText(growing(tokenizer, ids));
            },
            stopped: () => options.signal?.aborted ?? false,
          },
        );
      };
      const [ids] = await this.twiceIfLost(generate);
      const seconds = (performance.now() - started) / 1000;
      return {
        text: whole(tokenizer, ids),
        ids,
        promptIds,
        ended: ended(ids, tokenizer, sampling),
        firstTokenMs,
        tokensPerSecond: ids.length / seconds,
      };
    });
  }

  /** Frees the GPU's memory; the next answer loads the weights again. */
  dispose(): Promise<void> {
    return this.exclusively(async () => this.release());
  }

  private adapterOf({ adapter, scale = 1 }: ChatOptions): { name: string | null; scale: number } {
    const [first = null] = this.adapters;
    const name = adapter === undefined ? first : adapter;
    if (name !== null && !this.adapters.includes(name))
      throw new UserError(`There is no adapter "${name}". Adapters: ${this.adapters.join(', ') || 'none'}.`);
    if (!Number.isFinite(scale)) throw new UserError(`scale is ${scale}: give a number.`);
    return name === null ? { name: null, scale: 0 } : { name, scale };
  }

  private promptOf(messages: readonly ChatMessage[], { system }: ChatOptions): number[] {
    const { tokenizer, manifest } = this.parts;
    const ahead = system === undefined ? manifest.system : system;
    const own = messages[0]?.role === 'system';
    const all = ahead === null || own ? messages : [{ role: 'system' as const, content: ahead }, ...messages];
    return tokenizer.encode(
      tokenizer.render(all, {
        addGenerationPrompt: true,
        dateString: manifest.date_string || DEFAULT_DATE_STRING,
      }),
    );
  }

  private samplingOf({
    maxNewTokens,
    temperature,
    topP,
    seed,
  }: ChatOptions): Omit<GenerationOptions, 'stopTokenIds'> {
    const { sampling } = this.parts.manifest;
    const doSample = temperature === undefined ? sampling.do_sample : temperature > 0;
    return {
      maxNewTokens: maxNewTokens ?? sampling.max_new_tokens,
      doSample,
      temperature: doSample ? (temperature ?? sampling.temperature) : 1,
      topP: topP ?? sampling.top_p,
      seed: seed ?? sampling.seed,
    };
  }

  /** @param tokens of prompt and answer together, which TensorFlow.js's engine must be made for */
  private async engineFor(tokens: number): Promise<Engine> {
    if (this.engine && (this.engine instanceof WebGpuEngine || this.engine.tokensPerMicroBatch >= tokens))
      return this.engine;
    this.release();
    const context = await this.devices.get();
    const options: EngineOptions = {
      weights: this.parts.weights,
      lora: this.parts.adapters.lora,
      tokensPerMicroBatch: context
        ? PREFILL_TOKENS
        : Math.ceil(tokens / SEQUENCE_MULTIPLE) * SEQUENCE_MULTIPLE,
      gradientCheckpointing: true,
      training: false,
      seed: 0,
      onProgress: this.onProgress,
    };
    try {
      this.engine = context
        ? await WebGpuEngine.create(context, options)
        : await (await loadFallback()).TensorFlowEngine.create(options);
    } catch (error) {
      context?.releaseBuffers();
      throw context ? await context.causeOf(error) : error;
    }
    return this.engine;
  }

  private async hold(engine: Engine, name: string | null): Promise<void> {
    const tensors: AdapterTensors | undefined =
      name === null ? undefined : this.parts.adapters.tensors.get(name);
    // The base model answers with a scale of 0, whichever adapter is there.
    if (!tensors || this.held === name) return;
    await engine.loadAdapter(tensors);
    this.held = name;
  }

  /** Once more where the GPU was lost meanwhile, on the device that comes after it. */
  private async twiceIfLost<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isDeviceLost(error)) throw error;
      this.engine = this.held = null;
      return work();
    }
  }

  private release(): void {
    this.engine?.dispose();
    this.engine = this.held = null;
  }

  private exclusively<T>(call: () => Promise<T>): Promise<T> {
    return this.turns.take(call);
  }
}
