/** The checks of `npm run check`, which `npm test` runs first: format, lint, import rules and types. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { keepsHouseRules } from './houseCheck.ts';
import { root } from './site.ts';

interface Check {
  name: string;
  /** A program of node_modules/.bin. */
  program: string;
  args: string[];
}

const CHECKS: readonly Check[] = [
  { name: 'format', program: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'lint', program: 'eslint', args: ['.'] },
  {
    name: 'import rules',
    program: 'depcruise',
    args: ['src', 'scripts', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  },
  { name: 'leaves without GPU and DOM', program: 'tsc', args: ['--project', 'tsconfig.leaves.json'] },
  { name: 'types', program: 'svelte-check', args: ['--fail-on-warnings', '--output', 'human'] },
];

/**
 * Runs every check, also after one has failed.
 * @returns the names of those that passed and of those that failed
 */
export async function runChecks(): Promise<{ passed: string[]; failed: string[] }> {
  const [passed, failed]: string[][] = [[], []];
  for (const { name, program, args } of CHECKS) {
    console.log(`\n== ${name}`);
    ((await runProgram(program, args, process.env)) === 0 ? passed : failed).push(name);
  }
  console.log('\n== rules of the house');
  (keepsHouseRules() ? passed : failed).push('rules of the house');
  return { passed, failed };
}

/**
 * Runs a program of node_modules/.bin in the project's root.
 * @returns its exit code; 1 where it could not be started
 */
export function runProgram(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const bin = join(root, 'node_modules', '.bin', program + (process.platform === 'win32' ? '.cmd' : ''));
  return new Promise((resolve) => {
    spawn(bin, args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' })
      .on('close', (code) => resolve(code ?? 1))
      .on('error', () => resolve(1));
  });
}
