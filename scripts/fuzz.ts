/**
 * `npm run fuzz [-- --runs N --seed N --only NAME]`: every parser under generated bad input, 10,000 inputs
 * each: real files with small changes. An input that ends in an error that is not the project's own, takes
 * over two seconds or 512 MB is reported, shrunk to the fewest changes that do it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { classify, SLOW_MS, type Outcome } from './lib/fuzz/classify.ts';
import { makeTargets, type Target } from './lib/fuzz/targets.ts';

/**
 * A process that does not answer for so long is ended; its input is a hang. By the clock, which other work of
 * the machine slows: a parser that ends has a minute for its two seconds.
 */
const HANG_MS = 30 * SLOW_MS;
/** Inputs that are shrunk, a target. */
const MOST_SHRUNK = 5;
const SHRINK_MS = 20_000;

interface Report {
  counts: Record<Outcome['kind'], number>;
  faults: { signature: string; count: number; input: string }[];
  slowestMs: number;
}

type Message = { at: number } | { shrinking: string } | { report: Report };

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      target: { type: 'string' },
      from: { type: 'string', default: '0' },
    },
  });
  const [runs, seed, from] = [Number(values.runs), Number(values.seed), Number(values.from)];
  const targets = await makeTargets();
  if (values.target !== undefined) {
    const target = targets.find(({ name }) => name === values.target)!;
    await target.run(target.base);
    process.send?.({ report: await fuzz(target, runs, seed, from) } satisfies Message);
    return 0;
  }
  let bad = 0;
  for (const { name } of targets.filter(({ name }) => name.includes(values.only)))
    bad += await supervise(name, runs, seed);
  console.log(bad === 0 ? '\nNo faults.' : `\n${bad} faults.`);
  return bad === 0 ? 0 : 1;
}

/** Runs a target in a process of its own, again after each hang. @returns its faults */
async function supervise(name: string, runs: number, seed: number): Promise<number> {
  let from = 0;
  let hangs = 0;
  const total: Record<string, number> = {};
  while (from < runs) {
    const { report, at } = await inProcess(name, runs, seed, from);
    if (report) {
      for (const [kind, count] of Object.entries(report.counts)) total[kind] = (total[kind] ?? 0) + count;
      const counts = Object.entries(total).map(([kind, count]) => `${count} ${kind}`);
      console.log(`${name}: ${counts.join(', ')}; slowest ${Math.round(report.slowestMs)} ms`);
      for (const { signature, count, input } of report.faults)
        console.log(`  ${count} × ${signature}\n    ${input}`);
      return hangs + (total.crashed ?? 0) + (total.slow ?? 0) + (total.large ?? 0);
    }
    hangs++;
    console.log(`${name}: input ${at} of seed ${seed} did not end within ${HANG_MS} ms`);
    from = at + 1;
  }
  return hangs;
}

function inProcess(
  name: string,
  runs: number,
  seed: number,
  from: number,
): Promise<{ report: Report | null; at: number }> {
  const script = fileURLToPath(new URL('./run.mjs', import.meta.url));
  const options = { runs, seed, from };
  const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const child = fork(script, ['scripts/fuzz.ts', '--target', name, ...flags]);
  return new Promise((resolve, reject) => {
    let at = from;
    let report: Report | null = null;
    const end = () => child.kill('SIGKILL');
    let timer = setTimeout(end, 2 * HANG_MS);
    child.on('message', (message: Message) => {
      clearTimeout(timer);
      if ('at' in message) ({ at } = message);
      else if ('report' in message) ({ report } = message);
      timer = setTimeout(end, 'shrinking' in message ? 2 * SHRINK_MS : HANG_MS);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (!report && signal !== 'SIGKILL') reject(new Error(`The process of ${name} ended with ${code}.`));
      else resolve({ report, at });
    });
  });
}

async function fuzz(target: Target, runs: number, seed: number, from: number): Promise<Report> {
  const counts: Report['counts'] = { accepted: 0, refused: 0, crashed: 0, slow: 0, large: 0 };
  const faults = new Map<string, { count: number; first: unknown }>();
  let slowestMs = 0;
  let shownAt = 0;
  for (const [at, input] of fc.sample(target.inputs, { numRuns: runs, seed }).entries()) {
    if (at < from) continue;
    if (performance.now() - shownAt > 200) {
      process.send?.({ at } satisfies Message);
      shownAt = performance.now();
      // The message leaves before a parser may block this thread.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { kind, signature, ms } = await classify(() => target.run(input));
    counts[kind]++;
    slowestMs = Math.max(slowestMs, ms);
    if (signature === '') continue;
    const known = faults.get(signature);
    if (known) known.count++;
    else faults.set(signature, { count: 1, first: input });
  }
  const reported: Report['faults'] = [];
  for (const [signature, { count, first }] of faults) {
    process.send?.({ shrinking: signature } satisfies Message);
    // Another sample with the same seed may not meet the fault: then it is shown as it was found.
    const small = reported.length < MOST_SHRUNK ? await shrunk(target, seed, runs, signature) : undefined;
    const input = small ?? first;
    reported.push({ signature, count, input: JSON.stringify(input).slice(0, 400) });
  }
  return { counts, faults: reported, slowestMs };
}

/** The smallest input that fails in the same manner. */
async function shrunk(target: Target, seed: number, runs: number, signature: string): Promise<unknown> {
  const property = fc.asyncProperty(target.inputs, async (input) => {
    return (await classify(() => target.run(input))).signature !== signature;
  });
  const { counterexample } = await fc.check(property, {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: SHRINK_MS,
  });
  return counterexample?.[0];
}
