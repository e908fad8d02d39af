/**
 * The run report: whole in one file, with pictures, hashes, answers and requests, and nothing of the data
 * becomes markup.
 */
import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/training/recipe.ts';
import { reportHtml } from '../../src/export/reportHtml.ts';
import { writeReport, type ReportInputs } from '../../src/export/report.ts';
import { svgChart } from '../../src/export/svgChart.ts';

const summary = {
  rows: 10,
  tokens: 100,
  supervisedTokens: 50,
  longest: 20,
  truncatedRows: 0,
  truncatedTokens: 0,
  duplicates: 0,
  problems: 0,
  badRows: 0,
};
const answer = {
  line: 3,
  prompt: 'a|b',
  reference: '<b>x</b>',
  answer: 'one\ntwo',
  stopped: true,
  tokens: 2,
  exactMatch: false,
  rougeL: 0,
};
const inputs: ReportInputs = {
  recipe: parseRecipe({}),
  modelName: 'tiny',
  model: {
    storedSha256: 'c'.repeat(64),
    files: [{ path: 'model.safetensors', size: 7, sha256: 'd'.repeat(64) }],
  },
  adapter: { sha256: 'a'.repeat(64), bytes: 1234 },
  device: 'a GPU',
  versions: { finetab: '1.2.3', browser: 'Browser/1' },
  memory: {
    weights: 2 ** 20,
    adapter: 0,
    optimizer: 0,
    activations: 0,
    batch: 0,
    kvCache: 0,
    total: 2 ** 20,
  },
  training: {
    file: 'train.jsonl',
    parts: [{ file: 'train.jsonl', sha256: 'b'.repeat(64) }],
    summary,
    leaks: [],
    leftOut: 3,
  },
  validation: [
    {
      file: 'math.val.jsonl',
      name: 'math',
      parts: [{ file: 'math.val.jsonl', sha256: 'e'.repeat(64) }],
      summary,
      failure: null,
      restarted: null,
      leaks: [],
      leftOut: 3,
    },
  ],
  evaluations: [
    {
      name: 'math',
      step: 2,
      result: { metrics: { loss: 3, perplexity: 20, token_accuracy: 0.1 }, answers: [answer] },
    },
  ],
  requests: [
    { url: 'https://here.example/index.html?x=1', bytes: 10, thread: 'page' },
    { url: 'https://hub.example/a/model.safetensors', bytes: 5, thread: 'import worker' },
    { url: 'https://hub.example/a/model.safetensors', bytes: 6, thread: 'import worker' },
  ],
  errors: [],
  result: {
    reason: 'finished',
    message: null,
    steps: 2,
    totalSteps: 2,
    adapterStep: 2,
    seconds: 5,
    lines: [
      { step: 0, epoch: 0, eval_math_loss: 2 },
      { step: 1, epoch: 0.5, loss: 2, grad_norm: 1, learning_rate: 1e-4, tokens_per_second: 50 },
      { step: 2, epoch: 1, loss: 1, grad_norm: 1, learning_rate: 0, tokens_per_second: 70 },
      { step: 2, epoch: 1, eval_math_loss: 3 },
    ],
  },
};

describe('run report', () => {
  it('is written for a run of 200,000 steps', () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => ({
      step: i + 1,
      epoch: 0,
      loss: 2 + (i % 1000),
    }));
    lines[123_455].loss = 1.5;
    const report = writeReport({ ...inputs, result: { ...inputs.result, lines } });
    expect(report).toContain('| training | 2.0000 | 1.5000 (123456) | 1001.0000 |');
  });

  const report = writeReport(inputs);

  it('holds hashes, versions, alarms and requests', () => {
    expect(report).toContain(`| adapter_model.safetensors | 1234 | \`${'a'.repeat(64)}\` |`);
    expect(report).toContain(`| train.jsonl | | \`${'b'.repeat(64)}\` |`);
    expect(report).toContain(`| math.val.jsonl | | \`${'e'.repeat(64)}\` |`);
    expect(report).toContain(`| stored weights of tiny | | \`${'c'.repeat(64)}\` |`);
    expect(report).toContain('Finetab 1.2.3, Browser/1');
    expect(report).toMatch(/At step 2 the loss of math was 3\.000, above its start of 2\.000/);
    expect(report).toContain('| https://here.example/index.html | 1 | 10 | page |');
    expect(report).toContain('| https://hub.example/a/model.safetensors | 2 | 11 | import worker |');
    expect(report).toContain('| math | 2.0000 | 2.0000 (0) | 3.0000 |');
    expect(report).toMatch(
      /\| rows refused \| rows left out by the recipe \|\n.*\n\| training \|.*\| 3 \|\n/,
    );
  });

  it('shows answers as text only', () => {
    expect(report).toContain('| 3 | a\\|b | &#60;b&#62;x&#60;/b&#62; | one<br>two |');
    expect(report).not.toContain('<b>');
  });

  it('shows answers that were sampled for rewards, of some steps between the first and the last', () => {
    const step = (number: number) => ({
      step: number,
      groups: [
        {
          line: 7,
          prompt: 'What is 1 + 1?',
          reference: '2',
          answers: [
            { text: '|2|', tokens: 2, stopped: true, rewards: { right: 1 }, reward: 1, advantage: 0.5 },
            { text: '3', tokens: 2, stopped: true, rewards: { right: null }, reward: null, advantage: 0 },
          ],
        },
      ],
    });
    const rewarded = writeReport({ ...inputs, sampled: [1, 2, 3, 4, 5, 6, 7].map(step) });
    expect([...rewarded.matchAll(/### Step (\d+), mean reward 1\.000/g)].map(([, at]) => at)).toEqual([
      ...['1', '3', '5', '7'],
    ]);
    expect(rewarded).toContain('| 7 | What is 1 + 1? | 2 | \\|2\\| | 1 | 0.500 |');
    expect(rewarded).toContain('| 7 | What is 1 + 1? | 2 | 3 | – | 0.000 |');
    expect(report).not.toContain('Sampled answers');
  });

  it('carries its curves as pictures', () => {
    const pictures = [...report.matchAll(/!\[([^\]]+)\]\(data:image\/svg\+xml,([^)]+)\)/g)].map(
      ([, title, data]) => [title, decodeURIComponent(data)],
    );
    expect(pictures.map(([title]) => title)).toEqual([
      'Training loss',
      'Validation loss',
      'Learning rate',
      'Gradient norm',
    ]);
    // From the first value, at the top left of the axes, to the last, at the bottom right.
    expect(pictures[0][1]).toContain('d="M56.0 12.0L520.0 212.0"');
    expect(pictures[1][1]).toContain('d="M56.0 212.0L520.0 12.0"');
    // Values of an axis are told apart, however near they are.
    const near = svgChart([{ name: 'a', steps: [0, 4], values: [11.8584, 11.8656] }]);
    expect([...near.matchAll(/text-anchor="end">([^<]+)</g)].map(([, value]) => value)).toEqual([
      '11.858',
      '11.86',
      '11.862',
      '11.864',
      '11.866',
    ]);
    expect(svgChart([{ name: 'a<b', steps: [1], values: [2] }])).toContain('a&#60;b');
    expect(svgChart([{ name: 'a', steps: [], values: [] }])).toBe('');
  });
});

describe('report.html', () => {
  const attack = '<img src=x onerror=alert(1)>`".jsonl';
  const markdown = writeReport({
    ...inputs,
    training: { ...inputs.training, file: attack },
    modelName: '![x](data:text/html,<script>) [y](javascript:alert(1))',
  });
  const html = reportHtml(markdown);

  it('has the tables, pictures and answers of report.md', () => {
    const pictures = [...markdown.matchAll(/!\[[^\]]*\]\(data:image/g)].length;
    expect([...html.matchAll(/<img alt="[^"]*" src="data:image\/svg\+xml,/g)].length).toBe(pictures);
    expect([...html.matchAll(/<h2>/g)].length).toBe([...markdown.matchAll(/^## /gm)].length);
    expect([...html.matchAll(/<tr>/g)].length).toBeGreaterThan(10);
    expect(html).toContain('a|b');
    expect(html).toContain('one<br>two');
  });

  it('makes no markup of names and texts, and allows no script', () => {
    const tags = new Set([...html.matchAll(/<\/?([a-z]\w*)/g)].map(([, tag]) => tag));
    expect([...tags].filter((tag) => ['script', 'a', 'b', 'iframe'].includes(tag))).toEqual([]);
    expect(html).not.toMatch(/<img (?!alt)/);
    expect(html).toContain('&#60;img src=x onerror=alert(1)&#62;');
    expect(html).toContain("default-src 'none'");
  });
});
