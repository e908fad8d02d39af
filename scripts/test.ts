/**
 * `npm test`: everything, on a machine with or without a GPU. Finds or installs a browser, then runs the
 * checks of `npm run check`, all tests on this machine's adapter, and those of ON_LAVAPIPE on a second
 * software adapter. Lists what was skipped and ends with `N passed, N failed`. Arguments go to vitest;
 * then the checks and the second adapter are left out.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrInstallBrowser, NO_BROWSER } from './lib/browser.ts';
import { runChecks, runProgram } from './lib/checks.ts';
import { gpuEnvironment } from './lib/gpuEnvironment.mjs';
import { softwareNotice } from './lib/graphicsCards.ts';
import { lavapipeEnvironment } from './lib/lavapipe.ts';
import { resultOf, type TestRun, type VitestReport } from './lib/testReport.ts';

/** Tests that need what SwiftShader does not offer, or that gain from a second implementation of Vulkan. */
const ON_LAVAPIPE = [
  'tests/gradients/levels.test.ts',
  'tests/gradients/variants.test.ts',
  'tests/gradients/attentionVariants.test.ts',
  'tests/gradients/decode.test.ts',
];
/** On lavapipe alone where there is one: it compiles these kernels faster than SwiftShader. */
const BEST_ON_LAVAPIPE = ['tests/gpu/generation.test.ts'];

export async function main(args: string[]): Promise<number> {
  const whole = args.length === 0;
  const runs: TestRun[] = [];
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];

  const browser = findOrInstallBrowser();
  if (!browser) (process.env.REQUIRE_BROWSER ? failed : skipped).push(`all browser tests: ${NO_BROWSER}`);
  const environment = gpuEnvironment();
  // gpuEnvironment gives this process's own environment where an adapter is found without a browser's folder.
  const notice = environment !== process.env && softwareNotice();
  if (notice) console.log(notice);
  if (!environment)
    (process.env.REQUIRE_GPU ? failed : skipped).push(
      'all GPU tests: no WebGPU adapter was found, not even a software one (Chromium brings one)',
    );
  if (whole) {
    const checks = await runChecks();
    passed.push(...checks.passed);
    failed.push(...checks.failed);
  }
  const lavapipe = whole ? lavapipeEnvironment() : null;
  const hasLavapipe = lavapipe !== null && 'env' in lavapipe;
  console.log('\n== tests');
  const own = environment ?? process.env;
  runs.push(await runTests(args, hasLavapipe ? { ...own, RUN_ELSEWHERE: BEST_ON_LAVAPIPE.join(' ') } : own));
  if (lavapipe) {
    console.log('\n== tests on lavapipe');
    if ('env' in lavapipe) runs.push(await runTests([...ON_LAVAPIPE, ...BEST_ON_LAVAPIPE], lavapipe.env));
    else
      (process.env.REQUIRE_LAVAPIPE ? failed : skipped).push(
        `the kernels of float16 on lavapipe: ${lavapipe.missing}`,
      );
  }

  const result = resultOf(runs, process.env);
  skipped.push(...result.skipped);
  failed.push(...result.failed);
  if (skipped.length > 0)
    console.log(`\n!! SKIPPED, ${skipped.length}:\n${skipped.map((name) => `!!   ${name}`).join('\n')}`);
  if (failed.length > 0) console.log(`\nFAILED:\n${failed.map((name) => `   ${name}`).join('\n')}`);
  console.log(`\n${passed.length + result.passed} passed, ${failed.length} failed`);
  return failed.length > 0 ? 1 : 0;
}

/** Runs vitest with these arguments in an environment. */
async function runTests(args: readonly string[], env: NodeJS.ProcessEnv): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), 'finetab-test-'));
  const file = join(folder, 'report.json');
  const code = await runProgram(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    env,
  );
  const report = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as VitestReport,
    () => null,
  );
  await rm(folder, { recursive: true });
  return { code, report };
}
