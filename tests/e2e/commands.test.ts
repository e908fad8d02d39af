import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchFigures } from '../../scripts/bench/figures.ts';
import { root } from '../../scripts/lib/site.ts';
import { browserPath } from '../helpers/page.ts';

const command = (script: string, ...args: string[]) => ['scripts/run.mjs', `scripts/${script}.ts`, ...args];

describe('commands', { timeout: 300_000 }, () => {
  it('npm start serves the page on loopback, opens nothing without a screen, and ends when told to', async () => {
    const child = spawn(process.execPath, command('start', '--port', '0'), {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
        if (found) resolve(found);
      });
      void ended.then(() => reject(new Error(`it ended: ${said}`)));
    });
    expect(await (await fetch(url)).text()).toMatch(/<title>Finetab<\/title>/);
    expect((await (await fetch(`${url}demo/config.json`)).json()) as object).toMatchObject({
      model_type: 'llama',
    });
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('npm start names a wrong port', () => {
    const { status, stderr } = spawnSync(process.execPath, command('start', '--port', 'many'), {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/--port is many: write a number from 0/);
  });

  it.skipIf(!browserPath)(
    'npm run doctor tells the adapter, what fits and how fast, from real plans and a measurement',
    () => {
      const { status, stdout } = spawnSync(process.execPath, command('doctor'), {
        cwd: root,
        encoding: 'utf8',
      });
      expect(status).toBe(0);
      expect(stdout).toMatch(/Adapter: \S+/);
      expect(stdout).toMatch(/shader-f16 (yes|no)/);
      expect(stdout).toMatch(/maxStorageBufferBindingSize \d+ MiB/);
      const gigaflops = Number(/([\d.e+]+) GFLOPS in whole training steps/.exec(stdout)![1]);
      expect(gigaflops).toBeGreaterThan(0.01);
      const memory = [...stdout.matchAll(/^(\S+) +([\d.]+) GiB +[\d.]+ GiB +(yes|no|not)/gm)].map(
        ([, name, size]) => [name, Number(size)] as const,
      );
      expect(memory.map(([name]) => name)).toEqual([
        'SmolLM2-135M',
        'Qwen2.5-0.5B',
        'Llama-3.2-1B',
        'Llama-3.2-3B',
      ]);
      for (const [i, [, size]] of memory.entries())
        expect(size).toBeGreaterThan(i === 0 ? 0.1 : memory[i - 1][1]);
    },
  );

  it.skipIf(!browserPath)(
    "npm run bench -- --browser measures in the page's WebGPU, prints tables with the adapter and writes them as JSON",
    () => {
      const file = join(mkdtempSync(join(tmpdir(), 'finetab-bench-test-')), 'bench.json');
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        command(
          'bench',
          '--browser',
          '--size',
          'tiny',
          '--only',
          'steps',
          '--level',
          'plain',
          '--json',
          file,
        ),
        {
          cwd: root,
          encoding: 'utf8',
        },
      );
      expect(status, stderr).toBe(0);
      const [, adapter] = /^Adapter: (.+?)(?: \(software\))?; levels: plain/m.exec(stdout)!;
      expect(stdout).toContain(`Whole steps on ${adapter}`);
      const figures = JSON.parse(readFileSync(file, 'utf8')) as BenchFigures;
      expect(figures).toMatchObject({ adapter, size: 'tiny' });
      expect(
        figures.steps.map(({ documents, gradientCheckpointing }) => [documents, gradientCheckpointing]),
      ).toEqual([
        ['1×64', true],
        ['1×64', false],
        ['4×64', true],
        ['4×64', false],
      ]);
      for (const {
        documents,
        tokensPerSecond,
        stepMs,
        encodeMs,
        dispatches,
        peakBytes,
        loss,
      } of figures.steps) {
        const tokens = documents.startsWith('4') ? 256 : 64;
        expect(tokensPerSecond).toBeCloseTo((1000 * tokens) / stepMs);
        expect(encodeMs).toBeLessThan(stepMs);
        expect(dispatches).toBeGreaterThan(50);
        expect(peakBytes).toBeGreaterThan(10_000);
        // Of 128 tokens, by a model that knows nothing.
        expect(Math.abs(loss - Math.log(128))).toBeLessThan(1.5);
      }
      expect(figures.steps[1].loss).toBeCloseTo(figures.steps[0].loss, 4);
    },
  );

  it.skipIf(!browserPath)(
    "npm run headless ends with the page's own error, and leaves the worker's stack in errors.txt",
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'finetab-headless-test-'));
      mkdirSync(join(folder, 'model'));
      writeFileSync(join(folder, 'model', 'config.json'), '{"model_type":"mamba"}');
      writeFileSync(
        join(folder, 'recipe.json'),
        JSON.stringify({ model: 'folder:model', train_file: 'train.jsonl' }),
      );
      const { status, stderr } = spawnSync(
        process.execPath,
        command('headless', join(folder, 'recipe.json'), '--out', join(folder, 'out')),
        { cwd: root, encoding: 'utf8' },
      );
      expect(status).toBe(1);
      const lines = stderr.trim().split('\n');
      expect(lines.at(-1)).toMatch(/There is no model\.safetensors/);
      expect(lines.at(-2)).toContain(join(folder, 'out', 'errors.txt'));
      expect(readFileSync(join(folder, 'out', 'errors.txt'), 'utf8')).toMatch(
        /page, importing a model \(warning\)\nUserError: There is no model\.safetensors.*\nat .*import\.worker/,
      );
    },
  );

  it('npm run bench says what it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, command('bench', '--only', 'everything'), {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /--only everything: it is one of kernels, steps, decode, eager, levels, longRun, growth/,
    );
  });

  it('npm run doctor says what is wrong with CHROME_PATH', () => {
    const { status, stderr } = spawnSync(process.execPath, command('doctor'), {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CHROME_PATH: '/nowhere/chrome' },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/CHROME_PATH is \/nowhere\/chrome, but no file is there/);
  });
});
