/**
 * `npm test`: everything, on a machine with or without a GPU. Finds or installs a browser, then format, lint, import rules, types, and the unit, GPU,
 * gradient, golden and browser tests. Says loudly what was skipped and ends with `N passed, N failed`. Arguments go to vitest.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrInstallBrowser, NO_BROWSER } from './lib/browser.ts';
import { gpuEnvironment } from './lib/gpuEnvironment.mjs';
import { root } from './lib/site.ts';

const CHECKS: [name: string, program: string, args: string[]][] = [
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['lint', 'eslint', ['.']],
  ['import rules', 'depcruise', ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err']],
  ['types', 'svelte-check', ['--fail-on-warnings', '--output', 'human']],
];

interface VitestReport {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

export async function main(args: string[]): Promise<number> {
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  const browser = findOrInstallBrowser();
  if (!browser) {
    skipped.push(`all browser tests: ${NO_BROWSER}`);
    if (process.env.REQUIRE_BROWSER) failed.push(`browser: ${NO_BROWSER}`);
  }
  const environment = gpuEnvironment();
  if (!environment)
    skipped.push('all GPU tests: no WebGPU adapter was found, not even a software one (Chromium brings one)');
  if (args.length === 0) {
    for (const [name, program, programArgs] of CHECKS) {
      console.log(`\n== ${name}`);
      if ((await run(program, programArgs, process.env)) === 0) passed++;
      else failed.push(name);
    }
  }
  console.log('\n== tests');
  const folder = await mkdtemp(join(tmpdir(), 'finetab-test-'));
  const file = join(folder, 'report.json');
  const code = await run(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    environment ?? process.env,
  );
  const report = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as VitestReport,
    () => null,
  );
  await rm(folder, { recursive: true });
  if (!report) failed.push('vitest did not finish');
  else {
    passed += report.numPassedTests;
    for (const { name, status, message, assertionResults } of report.testResults) {
      for (const test of assertionResults) {
        if (test.status === 'failed')
          failed.push([test.fullName, ...reasons(test.failureMessages)].join('\n      '));
        else if (test.status !== 'passed') skipped.push(test.fullName);
      }
      if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed'))
        failed.push(`${name}: ${message.split('\n')[0]}`);
    }
    if (code !== 0 && failed.length === 0) failed.push(`vitest ended with ${code}`);
  }
  if (skipped.length > 0)
    console.log(`\n!! SKIPPED, ${skipped.length}:\n${skipped.map((name) => `!!   ${name}`).join('\n')}`);
  if (failed.length > 0) console.log(`\nFAILED:\n${failed.map((name) => `   ${name}`).join('\n')}`);
  console.log(`\n${passed} passed, ${failed.length} failed`);
  return failed.length > 0 ? 1 : 0;
}

/** The first lines of what each attempt of a test threw. */
function reasons(messages: readonly string[]): string[] {
  return messages.flatMap((message) => message.split('\n').slice(0, 3));
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const bin = join(root, 'node_modules', '.bin', program + (process.platform === 'win32' ? '.cmd' : ''));
  return new Promise((resolve) => {
    spawn(bin, args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' })
      .on('close', (code) => resolve(code ?? 1))
      .on('error', () => resolve(1));
  });
}
