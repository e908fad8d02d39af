/**
 * Hostile functions of a recipe (rewards and metrics): each ends with an error that names the row, is left
 * out or stops the run as the recipe says, and leaves the next call as it was.
 */
import { describe, expect, it } from 'vitest';
import { scoreByFunction, type AnswerScorer } from '../../src/training/scoring/answerScorer.ts';
import { callOwnFunction } from '../../src/training/scoring/ownFunction.ts';
import { ownMetrics } from '../../src/training/scoring/ownMetrics.ts';

/** An endless loop is waited for this long, where a run waits for 1 s. */
const MILLISECONDS = 40;
const TOO_LONG = /did not end within 0.04 s: look for an endless loop/;
const NO_MEMORY = /asked for more than 64 MiB of memory/;
const NO_NUMBER = 'it must give a number, true, false, or null for no score';

const scored = { answer: 'It is 12.', reference: '12', row: { level: 3 }, tokens: 5 };
const place = { file: 'sums.jsonl', line: 7 };
const scorer: AnswerScorer = {
  score: (made, answer) => callOwnFunction(made.code!, answer, { milliseconds: MILLISECONDS }),
};
const made = (code: string, on_error: 'stop' | 'skip') =>
  ({ name: 'mine', type: 'code', code, on_error }) as const;
const scoreBy = (code: string, on_error: 'stop' | 'skip') =>
  scoreByFunction(scorer, 'reward', made(code, on_error), scored, place);

const HOSTILE: Record<string, readonly [code: string, message: RegExp | string][]> = {
  'endless loops': [
    ['() => { for (;;); }', TOO_LONG],
    ['() => { for (;;) try { for (;;); } finally { continue; } }', TOO_LONG],
    ['for (;;);', TOO_LONG],
    ['() => eval("for (;;);")', TOO_LONG],
    ['() => /^(a+)+$/.test("a".repeat(50) + "b")', TOO_LONG],
  ],
  'huge arrays': [
    ['() => { const all = []; for (;;) all.push(new Uint8Array(1e6)); }', NO_MEMORY],
    ['() => new Uint8Array(2 ** 31).length', 'RangeError: invalid array buffer length'],
  ],
  'huge strings': [
    ['() => "x".repeat(2 ** 28).length', NO_MEMORY],
    ['() => { let all = "x"; for (;;) all += all; }', 'string too long'],
    ['() => { throw new Error("x".repeat(1e5)); }', /threw Error: x{300}\. The answer was/],
  ],
  'deep recursion': [
    ['() => { const deeper = () => deeper() + 1; return deeper(); }', 'calls itself too deeply'],
    ['() => { const x = { toString: () => `${x}` }; return `${x}`; }', 'calls itself too deeply'],
    [
      '() => { let all = {}; for (let i = 0; i < 3e4; i++) all = { all }; return JSON.stringify(all).length; }',
      'calls itself too deeply',
    ],
  ],
  'requests and messages': [
    ['() => fetch("http://127.0.0.1")', 'uses fetch, which there is not'],
    ['() => new XMLHttpRequest()', 'uses XMLHttpRequest, which there is not'],
    ['() => new WebSocket("ws://127.0.0.1")', 'uses WebSocket, which there is not'],
    ['() => navigator.sendBeacon("/")', 'uses navigator, which there is not'],
    ['() => importScripts("/x.js")', 'uses importScripts, which there is not'],
    ['() => postMessage(1)', 'uses postMessage, which there is not'],
    ['() => import("http://127.0.0.1/x.js")', 'gave a promise: nothing is waited for'],
    ['() => require("node:fs")', 'uses require, which there is not'],
  ],
  'ways out of the interpreter': [
    ['() => [].constructor.constructor("return process")()', 'uses process, which there is not'],
    ['() => document.title.length', 'uses document, which there is not'],
    ['() => indexedDB.open("finetab")', 'uses indexedDB, which there is not'],
  ],
  'another result each time': [
    ['() => Date.now()', 'uses Date, which there is not'],
    ['() => performance.now()', 'uses performance, which there is not'],
    ['() => Math.random()', 'Math.random would give the same recipe another result'],
  ],
  'changed prototypes': [
    [
      `() => {
        Object.prototype.then = Object.prototype.value = 1;
        Function.prototype.call = JSON.parse = null;
        Array.prototype.push = String.prototype.trim = () => { for (;;); };
        return {};
      }`,
      `gave object: ${NO_NUMBER}`,
    ],
    ['() => { String.prototype.includes = () => true; throw 1; }', 'threw a value: 1'],
  ],
  'frozen and changed globals': [
    ['() => { Object.freeze(globalThis); globalThis.more = 1; }', 'TypeError: object is not extensible'],
    ['() => { undefined = 1; }', "TypeError: 'undefined' is read-only"],
    ['() => { Object.freeze(Object.prototype); Math = null; return Math.abs(1); }', 'threw TypeError'],
  ],
  'throwing getters': [
    ['(answer, reference, row) => row.none.x', 'threw TypeError: cannot read property'],
    ['() => { throw { get message() { for (;;); }, toString() { for (;;); } }; }', TOO_LONG],
    ['() => { throw { get message() { throw 1; } }; }', 'threw a value'],
    ['() => { throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } }); }', 'threw a value'],
    ['() => { throw null; }', 'threw a value: null'],
  ],
  promises: [
    ['() => new Promise(() => {})', 'gave a promise: nothing is waited for'],
    ['async () => { await new Promise(() => {}); return 1; }', 'gave a promise'],
    ['async () => { throw new Error("late"); }', 'gave a promise'],
    ['async () => 1', 'gave a promise: nothing is waited for. Give the number itself, without async'],
  ],
  'what is no number': [
    ['() => NaN', 'gave NaN: it must give a finite number'],
    ['() => Infinity', 'gave Infinity: it must give a finite number'],
    ['() => "1"', `gave string: ${NO_NUMBER}`],
    ['() => ({ valueOf() { for (;;); } })', `gave object: ${NO_NUMBER}`],
    ['() => [1]', 'gave object'],
    ['() => undefined', 'gave undefined'],
    ['() => 1n', 'gave bigint'],
    ['() => Symbol()', 'gave symbol'],
    ['function* () { yield 1; }', 'gave object'],
  ],
  'what is no function': [
    ['(answer, => 1', 'threw SyntaxError'],
    ['12', 'is no function but number'],
    ['class A {}', 'threw TypeError'],
    ['', 'is no function but undefined'],
  ],
};

describe('a hostile function', () => {
  it.each(Object.entries(HOSTILE))(
    'of %s stops the run or is left out, and names the row',
    async (_, cases) => {
      for (const [code, message] of cases) {
        const stopped = await scoreBy(code, 'stop').then(
          (value) => expect.fail(`${code} gave ${JSON.stringify(value)}`),
          (error: unknown) => error,
        );
        expect(stopped, code).toMatchObject({
          name: 'UserError',
          message: expect.stringMatching(/^The reward mine on line 7 of sums\.jsonl .*"It is 12\."/s),
        });
        expect((stopped as Error).message, code).toMatch(message);
        expect((stopped as Error).message.length, code).toBeLessThan(600);
        const { value, fault } = await scoreBy(code, 'skip');
        expect(value, code).toBe(null);
        expect((stopped as Error).message.startsWith(fault!), `${code}: ${fault}`).toBe(true);
        // The next call finds every prototype and global as it should be.
        const next = await scoreBy(
          '(answer, reference, row) => row.level + Number(answer.includes("zz")) + Object.keys(Object.prototype).length',
          'stop',
        );
        expect(next, code).toEqual({ value: 3, fault: null });
      }
    },
  );

  it('cannot change the row that others are given', async () => {
    const row = { level: 3, tags: ['a'] };
    const code =
      '(answer, reference, row) => { row.level = 9; row.tags.push("b"); delete row.level; return 1; }';
    expect(await scorer.score(made(code, 'stop'), { ...scored, row })).toBe(1);
    expect(row).toEqual({ level: 3, tags: ['a'] });
  });

  it('leaves jobs behind that never run', async () => {
    const code = '() => { const more = () => Promise.resolve().then(more); more(); return 1; }';
    expect(await scorer.score(made(code, 'stop'), scored)).toBe(1);
  });

  it('that is a metric fails its file by name, or is left out of the mean', async () => {
    const questions = [1, 2, 3].map((line) => ({ file: 'a.val.jsonl', line, record: { line } }));
    const answers = () => ['a', 'bb', 'ccc'].map((answer) => ({ answer, reference: '', tokens: 1 }));
    const code = '(answer, reference, row) => { if (row.line === 2) for (;;); return answer.length; }';
    const measure = (on_error: 'stop' | 'skip', some: ReturnType<typeof answers>) =>
      ownMetrics({ metrics: [made(code, on_error)], scorer }, questions, some);
    await expect(measure('stop', answers())).rejects.toThrow(
      /^The metric mine on line 2 of a\.val\.jsonl did not end within 0\.04 s/,
    );
    const noted = answers();
    expect(await measure('skip', noted)).toEqual({ mine: 2 });
    expect(noted).toMatchObject([{ own: { mine: 1 } }, { own: { mine: null } }, { own: { mine: 3 } }]);
  });
});
