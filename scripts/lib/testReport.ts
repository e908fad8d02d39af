/** What runs of vitest came to: which tests passed, failed and were skipped. */

/** The parts of vitest's JSON report that are read. */
export interface VitestReport {
  testResults: {
    /** The file's path. */
    name: string;
    status: string;
    message: string;
    assertionResults: {
      status: string;
      fullName: string;
      /** Titles of the describe blocks around it. */
      ancestorTitles: string[];
      failureMessages: string[];
    }[];
  }[];
}

export interface TestRun {
  /** Vitest's exit code. */
  code: number;
  /** Null where vitest ended without one. */
  report: VitestReport | null;
}

/** In a test's name: it needs hardware that few machines have, so that its skip is no failure. */
const OPTIONAL = /\(needs [^)]+\)/;

/**
 * Adds runs up. A test that one run skipped and another passed is not skipped.
 * @param env where REQUIRE_GPU, REQUIRE_SHARED and REQUIRE_BROWSER are all set, a skipped test has failed,
 *   unless its name says that it needs optional hardware
 */
export function resultOf(
  runs: readonly TestRun[],
  env: Readonly<Record<string, string | undefined>>,
): { passed: number; failed: string[]; skipped: string[] } {
  const failed: string[] = [];
  const passed = new Set<string>();
  const unrun = new Map<string, SkippedTest>();
  let count = 0;
  for (const { code, report } of runs) {
    if (!report) {
      failed.push('vitest did not finish');
      continue;
    }
    const failuresBefore = failed.length;
    for (const { name, status, message, assertionResults } of report.testResults) {
      for (const test of assertionResults) {
        const key = `${name} ${test.fullName}`;
        if (test.status === 'failed')
          failed.push([test.fullName, ...reasons(test.failureMessages)].join('\n      '));
        else if (test.status === 'passed') {
          passed.add(key);
          count++;
        } else unrun.set(key, { name: test.fullName, group: test.ancestorTitles.join(' ') });
      }
      if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed'))
        failed.push(`${name}: ${message.split('\n')[0]}`);
    }
    if (code !== 0 && failed.length === failuresBefore) failed.push(`vitest ended with ${code}`);
  }
  const skipped = [...unrun].filter(([key]) => !passed.has(key)).map(([, test]) => test);
  const { REQUIRE_GPU, REQUIRE_SHARED, REQUIRE_BROWSER } = env;
  const isRequired = REQUIRE_GPU && REQUIRE_SHARED && REQUIRE_BROWSER;
  const forbidden = skipped.filter(({ name }) => isRequired && !OPTIONAL.test(name));
  return {
    passed: count,
    failed: [
      ...failed,
      ...byGroup(forbidden).map((line) => `skipped, though everything is required: ${line}`),
    ],
    skipped: byGroup(skipped.filter((test) => !forbidden.includes(test))),
  };
}

interface SkippedTest {
  name: string;
  /** The describe blocks around it; empty where there is none. */
  group: string;
}

/** One line a test, or a group where a whole one is skipped. */
function byGroup(tests: readonly SkippedTest[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { name, group } of tests) {
    const key = group || name;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].flatMap(([group, names]) =>
    names.length > 3 ? [`${group}: ${names.length} tests`] : names,
  );
}

/** The first lines of what each attempt of a test threw. */
function reasons(messages: readonly string[]): string[] {
  return messages.flatMap((message) => message.split('\n').slice(0, 3));
}
