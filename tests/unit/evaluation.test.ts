/** The metrics of one validation file on an engine whose answers are known. */
import { describe, expect, it } from 'vitest';
import { DocumentTable, type DocumentInput } from '../../src/data/documentTable.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import { scoreAnswer } from '../../src/training/scoring/scoreAnswer.ts';
import { evaluateFile, type Question, type Scorer } from '../../src/training/evaluation.ts';

const document = (length: number, prompt: number): DocumentInput => {
  const inputIds = Array.from({ length }, (_, i) => i + 1);
  return {
    inputIds,
    labels: inputIds.map((id, i) => (i < prompt ? -100 : id)),
    promptTokens: prompt,
    truncatedTokens: 0,
    line: 1,
  };
};
const documents = DocumentTable.of('v', [document(6, 2), document(5, 4), document(9, 3)]);
const SUPERVISED = 4 + 1 + 6;

/** Loss 0.5 for each target; correct where the target is even. Words are ids. */
const WORDS = ['', 'the', 'cat', 'cats', 'sat', 'END', 'Down'];
function scorer(answers: number[][] = []): Scorer & { prompts: number[][]; batches: MicroBatch[] } {
  const made = { prompts: [] as number[][], batches: [] as MicroBatch[] };
  return {
    ...made,
    tokensPerMicroBatch: 10,
    async score(batch) {
      made.batches.push(batch);
      return {
        loss: Float32Array.from(batch.targets, (target) => (target < 0 ? 0 : 0.5)),
        correct: Float32Array.from(batch.targets, (target) => (target > 0 && target % 2 === 0 ? 1 : 0)),
      };
    },
    async generate(prompts) {
      made.prompts.push(...prompts);
      return answers;
    },
  };
}
const questions: Question[] = [
  { file: 'a.jsonl', record: { level: 1 }, line: 1, promptIds: [7], prompt: 'who?', reference: 'the cats' },
  {
    file: 'a.jsonl',
    record: { level: 2 },
    line: 4,
    promptIds: [8, 9],
    prompt: 'what?',
    reference: 'sat down',
  },
];
const generation = {
  questions,
  maxNewTokens: 3,
  stopTokenIds: [5],
  doSample: false,
  temperature: 1,
  topP: 1,
  seed: 0,
  decode: (ids: number[]) =>
    ids
      .filter((id) => id !== 5)
      .map((id) => WORDS[id])
      .join(' '),
};

describe('evaluation of a file', () => {
  it('sums over every supervised token, however the rows are packed', async () => {
    const { metrics, answers } = await evaluateFile({ documents, padTokenId: 0, generation: null }, scorer());
    // Targets 3 4 5 6, 5, 4 5 6 7 8 9.
    expect(metrics).toEqual({
      loss: (0.5 * SUPERVISED) / SUPERVISED,
      perplexity: Math.exp(0.5),
      token_accuracy: 5 / SUPERVISED,
    });
    expect(answers).toEqual([]);
  });

  it('compares generated answers with the file’s: ROUGE with stems, exact match, length, and who stopped by themselves', async () => {
    const made = scorer([
      [1, 2, 5],
      [4, 6, 6],
    ]);
    const { metrics, answers } = await evaluateFile({ documents, padTokenId: 0, generation }, made);
    expect(made.prompts).toEqual([[7], [8, 9]]);
    expect(answers).toEqual([
      {
        line: 1,
        prompt: 'who?',
        reference: 'the cats',
        answer: 'the cat',
        stopped: true,
        tokens: 3,
        exactMatch: false,
        rougeL: 100,
      },
      {
        line: 4,
        prompt: 'what?',
        reference: 'sat down',
        answer: 'sat Down Down',
        stopped: false,
        tokens: 3,
        exactMatch: false,
        rougeL: 80,
      },
    ]);
    // Second row: 2 of 3 words and 2 of 2, 1 of 2 pairs and 1 of 1.
    expect(metrics.rouge1).toBeCloseTo((100 + 80) / 2, 9);
    expect(metrics.rouge2).toBeCloseTo((100 + 100 * (2 / 3)) / 2, 9);
    expect(metrics.rougeL).toBeCloseTo(90, 9);
    expect(metrics).toMatchObject({ exact_match: 0, mean_generated_length: 3, stopped_share: 0.5 });
    const exact = await evaluateFile({ documents, padTokenId: 0, generation }, scorer([[1, 3, 5], [5]]));
    expect(exact.metrics).toMatchObject({ exact_match: 0.5, mean_generated_length: 2, stopped_share: 1 });
    expect(exact.answers[1]).toMatchObject({ answer: '', rougeL: 0 });
  });

  it("scores answers by the recipe's own metrics, and fails alone where one does", async () => {
    const metric = (code: string, on_error: 'stop' | 'skip' = 'stop') => ({
      ...generation,
      own: {
        metrics: [{ name: 'mine', type: 'code' as const, code, on_error }],
        scorer: { score: scoreAnswer },
      },
    });
    const evaluated = (own: ReturnType<typeof metric>) =>
      evaluateFile(
        { documents, padTokenId: 0, generation: own },
        scorer([
          [1, 2, 5],
          [4, 6, 6],
        ]),
      );
    const code = '(answer, reference, row) => row.level * answer.length + reference.length / 100';
    const { metrics, answers } = await evaluated(metric(code));
    expect((metrics as unknown as Record<string, number>).mine).toBeCloseTo((7.08 + 26.08) / 2, 9);
    expect(answers[1].own).toEqual({ mine: 26.08 });
    await expect(evaluated(metric('(a, r, row) => row.level === 2 ? null.x : 1'))).rejects.toThrow(
      /The metric mine on line 4 of a.jsonl threw TypeError/,
    );
    const skipped = await evaluated(metric('(a, r, row) => row.level === 2 ? null.x : 1', 'skip'));
    expect((skipped.metrics as unknown as Record<string, number>).mine).toBe(1);
  });

  it('has no generation metrics where there is nothing to ask, as in a raw text', async () => {
    const { metrics } = await evaluateFile(
      { documents, padTokenId: 0, generation: { ...generation, questions: [] } },
      scorer(),
    );
    expect(Object.keys(metrics)).toEqual(['loss', 'perplexity', 'token_accuracy']);
  });

  it('says that the adapter diverged where a loss is not a number', async () => {
    const broken = {
      ...scorer(),
      score: async (batch: MicroBatch) => ({
        loss: new Float32Array(batch.tokens).fill(NaN),
        correct: new Float32Array(batch.tokens),
      }),
    };
    await expect(evaluateFile({ documents, padTokenId: 0, generation: null }, broken)).rejects.toThrow(
      /diverged/,
    );
  });
});
