/** What is tried with an adapter: a chat whose slider moves, and a blind test whose votes are kept. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Chat } from '../../src/page/result/Chat.svelte.ts';
import { HeadToHead } from '../../src/page/result/HeadToHead.svelte.ts';
import { HeatMap } from '../../src/page/result/HeatMap.svelte.ts';
import { DataFile } from '../../src/page/data/DataFile.svelte.ts';
import { startHistory, startTrainer } from '../../src/worker/client.ts';
import { DataFiles } from '../../src/page/data/DataFiles.svelte.ts';
import { SupervisedWorker } from '../../src/worker/supervisedWorker.ts';
import { testKey, type BlindTest, type HistoryApi } from '../../src/worker/history/historyProtocol.ts';
import type { ChatReply, ChatRequest, TrainerApi } from '../../src/worker/trainer/trainerProtocol.ts';
import { later, stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport } from '../helpers/pageData.ts';

const SAMPLING = { maxNewTokens: 8, doSample: false, temperature: 1, topP: 1, seed: 1 };

let workers: FakeWorkers;
let chats: {
  request: ChatRequest;
  onText: (conversation: number, text: string) => void;
  reply: ReturnType<typeof later<ChatReply[]>>;
}[];
let scores: ReturnType<typeof later<{ base: Float32Array; tuned: Float32Array }>>[];
let votes: BlindTest[];
let answerPairs: TrainerApi['answerPairs'];
let putVotes: () => void;

beforeEach(() => {
  [chats, scores, votes] = [[], [], []];
  putVotes = () => undefined;
  stubPage();
  workers = stubWorkers((name) => {
    if (name === 'history')
      return {
        putVotes: async (_run: string, test: BlindTest) => {
          putVotes();
          votes.push(test);
        },
      };
    if (name === 'trainer')
      return {
        openResult: async () => undefined,
        chat: (request: ChatRequest, onText: (conversation: number, text: string) => void) => {
          const reply = later<ChatReply[]>();
          chats.push({ request, onText, reply });
          return reply.promise;
        },
        stopAnswers: async () =>
          chats
            .at(-1)
            ?.reply.resolve(
              chats.at(-1)!.request.conversations.map(() => ({ text: 'cut', tokens: 1, ended: 'stopped' })),
            ),
        answerPairs: (...all: Parameters<TrainerApi['answerPairs']>) => answerPairs(...all),
        tokenLosses: () => {
          const score = later<{ base: Float32Array; tuned: Float32Array }>();
          scores.push(score);
          return score.promise;
        },
      };
    return {
      load: async () => fileReport('a file'),
      questions: async (count: number) =>
        Array.from({ length: count }, (_, i) => ({
          line: i + 1,
          promptIds: [i],
          prompt: `q${i}`,
          reference: `r${i}`,
        })),
      rowTokens: async (row: number) => [{ id: row, text: `${row}`, supervised: true, special: false }],
    };
  });
});
afterEach(() => workers.close());

const both = () => ({
  trainer: new SupervisedWorker<TrainerApi>('trainer', startTrainer),
  history: new SupervisedWorker<HistoryApi>('history', startHistory),
  data: () => new DataFiles(),
});
const reply = (text: string): ChatReply => ({ text, tokens: 2, ended: 'end' });

describe('a chat', () => {
  it('asks an adapter of another run, or of an earlier step, the same question after its own', async () => {
    const chat = new Chat('run-1', SAMPLING, both());
    await chat.compareWith({ runId: 'run-1', step: 20, title: 'step 20' });
    const asking = chat.ask('first?');
    await vi.waitFor(() => expect(chats.length).toBe(1));
    chats[0].reply.resolve([reply('base'), reply('tuned')]);
    await vi.waitFor(() => expect(chats.length).toBe(2));
    expect(chats[1].request).toMatchObject({
      runId: 'run-1',
      step: 20,
      conversations: [{ adapterScale: 1, messages: [{ role: 'user', content: 'first?' }] }],
    });
    chats[1].reply.resolve([reply('earlier')]);
    await asking;
    const { answers } = chat.turns[0];
    expect([answers.base?.text, answers.tuned?.text, answers.other?.text]).toEqual([
      'base',
      'tuned',
      'earlier',
    ]);
    expect(answers.other?.title).toBe('step 20');
    // Another one answers the same question at once, and nobody else is asked again.
    const comparing = chat.compareWith({ runId: 'run-2', step: null, title: 'two' });
    await vi.waitFor(() => expect(chats.length).toBe(3));
    expect(chats[2].request).toMatchObject({ runId: 'run-2' });
    expect(chats[2].request.step).toBeUndefined();
    chats[2].reply.resolve([reply('second run')]);
    await comparing;
    expect(chat.turns[0].answers.other?.text).toBe('second run');
    expect(chat.kept.all[0]).toBe('first?');
  });

  it('asks both models side by side, each with its own answers, and shows the text as it grows', async () => {
    const chat = new Chat('run-1', SAMPLING, both());
    const asking = chat.ask('first?');
    await vi.waitFor(() => expect(chats.length).toBe(1));
    expect(chats[0].request.conversations.map(({ adapterScale }) => adapterScale)).toEqual([0, 1]);
    chats[0].onText(1, 'growing');
    await vi.waitFor(() => expect(chat.turns[0].answers.tuned?.text).toBe('growing'));
    expect(chat.turns[0].answers.tuned?.writing).toBe(true);
    chats[0].reply.resolve([reply('of the base'), reply('of the tuned')]);
    await asking;
    chats[0].onText(1, 'too late');
    const again = chat.ask('second?');
    await vi.waitFor(() => expect(chats.length).toBe(2));
    expect(
      chats[1].request.conversations.map(({ messages }) => messages.map(({ content }) => content)),
    ).toEqual([
      ['first?', 'of the base', 'second?'],
      ['first?', 'of the tuned', 'second?'],
    ]);
    chats[1].reply.resolve([reply('b'), reply('t')]);
    await again;
    expect(chat.turns[0].answers.tuned).toMatchObject({ text: 'of the tuned', writing: false, tokens: 2 });
  });

  it('takes one question at a time', async () => {
    const chat = new Chat('run-1', SAMPLING, both());
    void chat.ask('first?');
    await vi.waitFor(() => expect(chat.busy).toBe(true));
    await chat.ask('second?');
    expect(chat.turns.map(({ question }) => question)).toEqual(['first?']);
  });

  it('writes the last answer again once the slider rests, and stops the one under way', async () => {
    const chat = new Chat('run-1', SAMPLING, both());
    const asking = chat.ask('how?');
    await vi.waitFor(() => expect(chats.length).toBe(1));
    chat.setAdapterScale(20);
    chat.setAdapterScale(40);
    await asking;
    await vi.waitFor(() => expect(chats.length).toBe(2));
    expect(chats[1].request.conversations).toMatchObject([{ adapterScale: 0.4 }]);
    chats[1].reply.resolve([reply('less of it')]);
    await vi.waitFor(() =>
      expect(chat.turns[0].answers.tuned).toMatchObject({ text: 'less of it', adapterScale: 40 }),
    );
    expect(chats.length).toBe(2);
  });

  it('shows an error, takes the empty answers away, and can be asked again after its trainer died', async () => {
    const chat = new Chat('run-1', SAMPLING, both());
    const asking = chat.ask('how?');
    await vi.waitFor(() => expect(chats.length).toBe(1));
    workers.named('trainer')[0].die('out of memory');
    await asking;
    expect(chat.error).toBe('The trainer worker ended before it was done: out of memory. Try again.');
    expect(chat.turns[0].answers).toEqual({});
    expect(chat.busy).toBe(false);
    const again = chat.again();
    await vi.waitFor(() => expect(chats.length).toBe(2));
    chats[1].reply.resolve([reply('b'), reply('t')]);
    await again;
    expect(chat.error).toBeNull();
    expect(chat.turns[0].answers.tuned?.text).toBe('t');
  });
});

describe('a blind test', () => {
  const set = (name: string) =>
    new DataFile(
      [{ file: new File([''], `${name}.val.jsonl`), name: `${name}.val.jsonl` }],
      'validation',
      name,
    );

  it('takes pairs as they come, hides whose answer is whose, and keeps the votes', async () => {
    answerPairs = async (_run, prompts, _sampling, onPair) => {
      for (const i of prompts.keys()) await onPair(i, `base ${i}`, `tuned ${i}`);
    };
    const test = new HeadToHead('run-1', SAMPLING, both(), []);
    await test.start(set('math'), 4, 7);
    expect(test.expected).toBe(4);
    expect(test.answering).toBe(false);
    const sides = test.test!.pairs.map(({ tunedIsA }) => tunedIsA);
    expect(new Set(sides).size).toBe(2);
    for (const tunedIsA of sides) await test.vote(tunedIsA ? 'A' : 'B');
    expect(test.open).toBeNull();
    expect(test.tally).toMatchObject({ tuned: 4, base: 0, tie: 0 });
    expect(votes.at(-1)!.pairs.map(({ vote }) => vote)).toEqual(['tuned', 'tuned', 'tuned', 'tuned']);
  });

  it('keeps a test a set, whatever the sets are called', async () => {
    answerPairs = async (_run, _prompts, _sampling, onPair) => void (await onPair(0, 'b', 't'));
    const test = new HeadToHead('run-1', SAMPLING, both(), []);
    await test.start(set('__proto__'), 1, 1);
    await test.start(set('constructor'), 1, 1);
    expect(test.tests.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    test.current = testKey({ name: '__proto__' });
    expect(test.test?.pairs.length).toBe(1);
  });

  it('is held against another adapter beside the one against the base model', async () => {
    const asked: unknown[] = [];
    answerPairs = async (request, _prompts, _sampling, onPair) => {
      asked.push(request);
      await onPair(0, request.against ? 'other' : 'base', 'tuned');
    };
    const test = new HeadToHead('run-1', SAMPLING, both(), []);
    await test.start(set('math'), 1, 1);
    const against = { runId: 'run-0', step: 4, title: 'r 8' };
    test.against = against;
    await test.start(set('math'), 1, 1);
    expect(asked).toEqual([
      { runId: 'run-1', against: null },
      { runId: 'run-1', against },
    ]);
    expect(test.tests.map((kept) => [kept.against?.title, kept.pairs[0].base])).toEqual([
      [undefined, 'base'],
      ['r 8', 'other'],
    ]);
    await test.vote(test.open!.tunedIsA ? 'B' : 'A');
    expect(test.tally).toMatchObject({ tuned: 0, base: 1 });
    expect(votes.at(-1)).toMatchObject({ against: { title: 'r 8' }, pairs: [{ vote: 'base' }] });
  });

  it('shows why answers or votes failed, and keeps the pairs that came', async () => {
    answerPairs = async (_run, _prompts, _sampling, onPair) => {
      await onPair(0, 'b', 't');
      throw new Error('the GPU was lost');
    };
    const test = new HeadToHead('run-1', SAMPLING, both(), []);
    await test.start(set('math'), 2, 1);
    expect(test.error).toBe('the GPU was lost');
    expect(test.answering).toBe(false);
    expect(votes.at(-1)!.pairs.length).toBe(1);
    putVotes = () => {
      throw new Error('storage is full');
    };
    await test.vote('tie');
    expect(test.error).toBe('storage is full');
    expect(test.tally.tie).toBe(1);
  });
});

describe('losses token by token', () => {
  it('are those of the row that is shown, in whichever order the answers come', async () => {
    const file = new DataFile(
      [{ file: new File([''], 'train.jsonl'), name: 'train.jsonl' }],
      'train',
      'training',
    );
    await file.load({ modelId: 'a', settings: {}, columns: {} } as never);
    const heatMap = new HeatMap('run-1', both());
    const first = heatMap.show(file, 0);
    const second = heatMap.show(file, 1);
    await vi.waitFor(() => expect(scores.length).toBe(2));
    const loss = (value: number) => ({ base: new Float32Array([value]), tuned: new Float32Array([value]) });
    scores[1].resolve(loss(2));
    await second;
    scores[0].resolve(loss(1));
    await first;
    expect(heatMap.row).toBe(1);
    expect(heatMap.tokens).toMatchObject([{ id: 1, base: 2 }]);
    expect(heatMap.means).toEqual({ base: 2, tuned: 2 });
    const failing = heatMap.show(file, 99);
    await vi.waitFor(() => expect(scores.length).toBe(3));
    expect(heatMap.row).toBe(2);
    scores[2].reject(new Error('no such adapter'));
    await failing;
    expect(heatMap).toMatchObject({ error: 'no such adapter', busy: false });
  });
});
