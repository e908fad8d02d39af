import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { measureGpuSpeed, type SpeedRequest } from '../../src/engine/gpuSpeed.ts';
import { DeviceLostError } from '../../src/lib/errors.ts';
import { speedMarkdown } from '../../src/page/gpu/speedMarkdown.ts';
import { browserName } from '../../src/page/gpu/browserName.ts';

/** Steps of `ms` each, one after another as on a GPU; `disposed` gets an entry when it is disposed of. */
function fakeEngine(ms: number, disposed: number[] = []): Engine {
  let last: Promise<unknown> = Promise.resolve();
  const engine: Pick<Engine, 'stepsAhead' | 'trainStep' | 'dispose'> & { memory: { total: number } } = {
    stepsAhead: 1,
    memory: { total: 2 ** 30 },
    trainStep: () =>
      (last = last.then(() => new Promise((resolve) => setTimeout(resolve, ms)))) as Promise<never>,
    dispose: () => void disposed.push(1),
  };
  return engine as unknown as Engine;
}

const SMALL: Omit<SpeedRequest, 'create' | 'onProgress'> = {
  adapter: 'a | card',
  levels: ['plain', 'matrix'],
  models: ['2 layers of width 32'],
  tokens: 64,
  warmMs: 20,
  timedMs: 200,
};

describe('measuring the speed of a GPU', () => {
  it('times steps at every level and disposes of each engine', async () => {
    const disposed: number[] = [];
    const seen: string[] = [];
    const { rows } = await measureGpuSpeed({
      ...SMALL,
      create: (options) => Promise.resolve(fakeEngine(options.level === 'matrix' ? 10 : 40, disposed)),
      onProgress: (what, done, total) => void seen.push(`${what} ${done}/${total}`),
    });
    expect(seen).toEqual(['2 layers of width 32, plain 0/2', '2 layers of width 32, matrix 1/2']);
    expect(disposed.length).toBe(2);
    const [plain, matrix] = rows.map(({ tokensPerSecond }) => tokensPerSecond!);
    // 64 tokens take 40 and 10 ms; a busy machine takes longer.
    expect(plain).toBeLessThan(64 / 0.038);
    expect(matrix).toBeGreaterThan(plain);
    expect(rows[0].bytes).toBe(2 ** 30);
  });

  it('says why a level has no figure, and goes on', async () => {
    const speed = await measureGpuSpeed({
      ...SMALL,
      create: ({ level }) =>
        level === 'plain' ? Promise.reject(new Error('too large | by far')) : Promise.resolve(fakeEngine(5)),
      onProgress: () => undefined,
    });
    expect(speed.rows.map(({ reason }) => reason)).toEqual(['too large | by far', null]);
    const lines = speedMarkdown(speed, 'Browser 1').split('\n');
    expect(lines[0]).toBe('| adapter | browser | level | 2 layers of width 32 |');
    expect(lines[2]).toBe('| a \\| card | Browser 1 | plain | too large \\| by far |');
    expect(lines[3]).toMatch(/^\| a \\\| card \| Browser 1 \| matrix \| [\d,]+, 1\.00 GiB \|$/);
  });

  it('takes the fastest level first for the other models', async () => {
    const seen: string[] = [];
    const models = ['2 layers of width 32', '16 layers of width 32'];
    const { rows } = await measureGpuSpeed({
      ...SMALL,
      models,
      create: ({ level }) => Promise.resolve(fakeEngine(level === 'matrix' ? 5 : 40)),
      onProgress: (what) => void seen.push(what),
    });
    expect(seen.slice(2)).toEqual(['16 layers of width 32, matrix', '16 layers of width 32, plain']);
    expect(rows.map(({ model, level }) => `${model}, ${level}`)).toEqual(
      models.flatMap((model) => SMALL.levels.map((level) => `${model}, ${level}`)),
    );
  });

  it('begins nothing after its time', async () => {
    const { rows } = await measureGpuSpeed({
      ...SMALL,
      budgetMs: 1,
      create: () => Promise.resolve(fakeEngine(20)),
      onProgress: () => undefined,
    });
    expect(rows.map(({ reason }) => reason)).toEqual([null, 'no time was left']);
  });

  it('ends where the device is lost', async () => {
    const create = () => Promise.reject(new DeviceLostError('gone'));
    await expect(measureGpuSpeed({ ...SMALL, create, onProgress: () => undefined })).rejects.toThrow('gone');
  });
});

describe("the browser's name", () => {
  it('is its product and platform', () => {
    const brands = [
      { brand: 'Not/A)Brand', version: '8' },
      { brand: 'Chromium', version: '156' },
      { brand: 'Google Chrome', version: '156' },
    ];
    const userAgentData = { brands, platform: 'macOS' };
    expect(browserName({ userAgent: 'x', userAgentData })).toBe('Google Chrome 156, macOS');
    expect(
      browserName({ userAgent: 'x', userAgentData: { ...userAgentData, brands: brands.slice(0, 2) } }),
    ).toBe('Chromium 156, macOS');
    expect(browserName({ userAgent: 'Firefox/150' })).toBe('Firefox/150');
  });
});
