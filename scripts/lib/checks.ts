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
  /** Lines of output that are no breach; any other fails the check. */
  except?: RegExp;
}

/**
 * Files of loops over typed arrays, each within the array's own bounds: `T | undefined` would put a `!`
 * behind every access and find nothing. They are held by tests by value.
 */
const TYPED_ARRAY_LOOPS =
  /^src\/(quant\/\w+|data\/(bestFit|documentTable|tokenizer\/unigram)|lib\/(counterRandom|random|rouge\/rouge|sha256Stream))\.ts\(\d+,\d+\): error|^\s/;

/** The longest first. */
const CHECKS: readonly Check[] = [
  { name: 'lint', program: 'eslint', args: ['.'] },
  { name: 'types', program: 'svelte-check', args: ['--fail-on-warnings', '--output', 'human'] },
  { name: 'format', program: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  {
    name: 'import rules',
    program: 'depcruise',
    args: ['src', 'scripts', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  },
  {
    name: 'leaves without GPU and DOM, indices checked',
    program: 'tsc',
    args: ['--project', 'tsconfig.leaves.json', '--pretty', 'false'],
    except: TYPED_ARRAY_LOOPS,
  },
  {
    name: 'storage, indices checked',
    program: 'tsc',
    args: ['--project', 'tsconfig.storage.json', '--pretty', 'false'],
    except: TYPED_ARRAY_LOOPS,
  },
];

/** As many checks as run at a time; each keeps about one core busy. */
const AT_A_TIME = 2;

/**
 * Runs every check, also after one has failed. What a check prints is shown when it ends.
 * @returns the names of those that passed and of those that failed
 */
export async function runChecks(): Promise<{ passed: string[]; failed: string[] }> {
  const [passed, failed]: string[][] = [[], []];
  const waiting = [...CHECKS];
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { kept, output } = await collected(check);
      console.log(`\n== ${check.name}\n${output.trimEnd()}`);
      (kept ? passed : failed).push(check.name);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  console.log('\n== rules of the house');
  (keepsHouseRules() ? passed : failed).push('rules of the house');
  return { passed, failed };
}

/** Runs a check and keeps what it prints, so that two at a time do not mix. */
async function collected({ program, args, except }: Check): Promise<{ kept: boolean; output: string }> {
  let output = '';
  const code = await runProgram(program, args, process.env, (text) => (output += text));
  if (!except) return { kept: code === 0, output };
  const breaches = output.split('\n').filter((line) => line !== '' && !except.test(line));
  // A compiler that did not start has written nothing.
  return { kept: breaches.length === 0 && (code === 0 || output !== ''), output: breaches.join('\n') };
}

/**
 * Runs a program of node_modules/.bin in the project's root.
 * @param keep takes what it prints; without it that goes to this process's own output
 * @returns its exit code; 1 where it could not be started
 */
export function runProgram(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  keep?: (text: string) => void,
): Promise<number> {
  const bin = join(root, 'node_modules', '.bin', program + (process.platform === 'win32' ? '.cmd' : ''));
  return new Promise((resolve) => {
    const child = spawn(bin, args, {
      cwd: root,
      env,
      stdio: keep ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: process.platform === 'win32',
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', keep!);
    child.on('close', (code) => resolve(code ?? 1)).on('error', () => resolve(1));
  });
}
