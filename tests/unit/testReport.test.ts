/** How `npm test` counts: a skip is listed, and a failure where everything is required. */
import { describe, expect, it } from 'vitest';
import { resultOf, type TestRun } from '../../scripts/lib/testReport.ts';

function run(tests: Record<string, string>, more: Partial<TestRun> = {}): TestRun {
  return {
    code: 0,
    report: {
      testResults: [
        {
          name: 'a.test.ts',
          status: 'passed',
          message: '',
          assertionResults: Object.entries(tests).map(([fullName, status]) => ({
            status,
            fullName,
            ancestorTitles: fullName.split(' > ').slice(0, -1),
            failureMessages: status === 'failed' ? ['expected 1\nto be 2\nat a.test.ts:1\nmore'] : [],
          })),
        },
      ],
    },
    ...more,
  };
}

const ALL = { REQUIRE_GPU: '1', REQUIRE_SHARED: '1', REQUIRE_BROWSER: '1' };

describe('the result of a test run', () => {
  it('lists a skipped test, and fails by it where everything is required', () => {
    const runs = [run({ one: 'passed', two: 'skipped', three: 'todo' })];
    expect(resultOf(runs, {})).toEqual({ passed: 1, failed: [], skipped: ['two', 'three'] });
    const { failed, skipped } = resultOf(runs, ALL);
    expect(failed).toEqual([expect.stringMatching(/skipped.*: two$/), expect.stringMatching(/: three$/)]);
    expect(skipped).toEqual([]);
    expect(resultOf(runs, { ...ALL, REQUIRE_SHARED: undefined }).failed).toEqual([]);
  });

  it('does not require optional hardware', () => {
    const name = '200 steps in 16 bits (needs shader-f16)';
    expect(resultOf([run({ [name]: 'skipped' })], ALL)).toEqual({ passed: 0, failed: [], skipped: [name] });
  });

  it('lists a long group by its name', () => {
    const tests = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`level f16 > ${name}`, 'skipped']));
    expect(resultOf([run(tests)], {}).skipped).toEqual(['level f16: 4 tests']);
  });

  it('does not count a test as skipped that another adapter ran', () => {
    const runs = [run({ one: 'skipped' }), run({ one: 'passed' })];
    expect(resultOf(runs, ALL)).toEqual({ passed: 1, failed: [], skipped: [] });
  });

  it('has failed with a test, a file, an exit code or a missing report', () => {
    expect(resultOf([run({ one: 'failed' }, { code: 1 })], {}).failed).toEqual([
      'one\n      expected 1\n      to be 2\n      at a.test.ts:1',
    ]);
    const broken = run({});
    broken.report!.testResults[0].status = 'failed';
    broken.report!.testResults[0].message = 'cannot import x\nmore';
    expect(resultOf([broken], {}).failed).toEqual(['a.test.ts: cannot import x']);
    expect(resultOf([run({ one: 'passed' }, { code: 137 })], {}).failed).toEqual(['vitest ended with 137']);
    expect(resultOf([run({}), { code: 1, report: null }], {}).failed).toEqual(['vitest did not finish']);
  });
});
