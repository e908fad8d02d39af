/**
 * `npm run bench -- import` measures how fast a checkpoint is imported and a stored model is loaded onto the
 * GPU, in headless Chromium with the page's own import worker and a profile on disk; and how fast Node
 * quantises. The checkpoint is written here: layers of Llama-3.2-1B in bfloat16. CPU seconds add up all the
 * browser's processes; on a machine that is busy otherwise they say more than elapsed time.
 */
import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'vite';
import { modelOf } from '../../src/model/families/registry.ts';
import { Nf4Quantizer } from '../../src/quant/nf4.ts';
import { findOrInstallBrowser, launchProfile, NO_BROWSER } from '../lib/browser.ts';
import { root } from '../lib/site.ts';
import type { ImportSteps } from './importPage.ts';

/** An import needs a tokenizer with a chat template: the demo model's serves. */
const TOKENIZER = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
  join(root, 'public', 'demo', name),
);

const CONFIG = {
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 4,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  vocab_size: 16000,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  tie_word_embeddings: true,
};

export interface ImportBench {
  sourceMB: number;
  storedMB: number;
  /**
   * Decimal megabytes a second of the best run: of source bytes for the import, of stored bytes for reading
   * and the GPU.
   */
  importMBps: number;
  readMBps: number;
  gpuMBps: number;
  /** The same a CPU second of all the browser's processes. */
  importMBpsOfCpu: number;
  readMBpsOfCpu: number;
  gpuMBpsOfCpu: number;
  /**
   * Most memory of the browser's processes above what they had before the import, in MB. Shared pages count
   * more than once.
   */
  extraMemoryMB: number;
  quantizeMBpsOfCpu: Record<string, number>;
}

export async function benchImport(runs = 3): Promise<ImportBench> {
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  const folder = await mkdtemp(join(tmpdir(), 'finetab-import-'));
  const server = await createServer({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', watch: null, hmr: false },
  });
  try {
    await server.listen();
    const address = server.httpServer!.address() as { port: number };
    const url = `http://127.0.0.1:${address.port}/`;
    const sourceBytes = await writeCheckpoint(folder);
    console.log(
      `Checkpoint of ${(sourceBytes / 1e6).toFixed(0)} MB, load average ${loadavg()[0].toFixed(1)}`,
    );
    const results: Omit<ImportBench, 'quantizeMBpsOfCpu'>[] = [];
    for (let run = 0; run < runs; run++) {
      const browser = await launchProfile(executable, url, join(folder, `profile ${run}`));
      try {
        const page = await browser.newPage();
        await page.route(`${url}bench`, (route) =>
          route.fulfill({
            contentType: 'text/html',
            body: '<input type="file" multiple><script type="module" src="/scripts/bench/importPage.ts"></script>',
          }),
        );
        await page.goto(`${url}bench`);
        await page.waitForFunction(() => 'steps' in globalThis);
        await page
          .locator('input')
          .setInputFiles([join(folder, 'config.json'), join(folder, 'model.safetensors'), ...TOKENIZER]);
        const measured = async <T>(work: () => Promise<T>) => {
          const before = processes();
          let most = before.residentMB;
          const timer = setInterval(() => (most = Math.max(most, processes().residentMB)), 100);
          const started = performance.now();
          const result = await work();
          const seconds = (performance.now() - started) / 1000;
          clearInterval(timer);
          return {
            result,
            seconds,
            cpuSeconds: processes().cpuSeconds - before.cpuSeconds,
            extraMB: most - before.residentMB,
          };
        };
        await page.evaluate(() => (globalThis as unknown as { steps: ImportSteps }).steps.ready());
        const imported = await measured(() =>
          page.evaluate(() => (globalThis as unknown as { steps: ImportSteps }).steps.importModel()),
        );
        const { id } = imported.result;
        const read = await measured(() =>
          page.evaluate((model) => (globalThis as unknown as { steps: ImportSteps }).steps.read(model), id),
        );
        const uploaded = await measured(() =>
          page.evaluate((model) => (globalThis as unknown as { steps: ImportSteps }).steps.upload(model), id),
        );
        const storedMB = imported.result.storedBytes / 1e6;
        const sourceMB = sourceBytes / 1e6;
        results.push({
          sourceMB,
          storedMB,
          importMBps: sourceMB / imported.seconds,
          readMBps: storedMB / read.seconds,
          gpuMBps: uploaded.result ? storedMB / uploaded.seconds : 0,
          importMBpsOfCpu: sourceMB / imported.cpuSeconds,
          readMBpsOfCpu: storedMB / read.cpuSeconds,
          gpuMBpsOfCpu: uploaded.result ? storedMB / uploaded.cpuSeconds : 0,
          extraMemoryMB: imported.extraMB,
        });
        console.log(
          JSON.stringify(
            Object.fromEntries(
              Object.entries(results.at(-1)!).map(([key, value]) => [key, Math.round(value)]),
            ),
          ),
          `load ${loadavg()[0].toFixed(1)}`,
        );
      } finally {
        await browser.close();
      }
    }
    const best = (key: keyof (typeof results)[number]) => Math.max(...results.map((result) => result[key]));
    return {
      ...results[0],
      importMBps: best('importMBps'),
      readMBps: best('readMBps'),
      gpuMBps: best('gpuMBps'),
      importMBpsOfCpu: best('importMBpsOfCpu'),
      readMBpsOfCpu: best('readMBpsOfCpu'),
      gpuMBpsOfCpu: best('gpuMBpsOfCpu'),
      extraMemoryMB: best('extraMemoryMB'),
      quantizeMBpsOfCpu: quantizing(),
    };
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

/** config.json and model.safetensors: small bfloat16 numbers of either sign. @returns bytes of the weights */
async function writeCheckpoint(folder: string): Promise<number> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
  const header: Record<string, unknown> = {};
  let total = 0;
  for (const { name, shape } of modelOf(CONFIG).tensors) {
    const bytes = shape.reduce((a, b) => a * b, 2);
    header[name] = { dtype: 'BF16', shape, data_offsets: [total, total + bytes] };
    total += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  const file = createWriteStream(join(folder, 'model.safetensors'));
  file.write(length);
  file.write(json);
  const pattern = new Uint8Array(normalBf16(1 << 21).buffer);
  for (let left = total; left > 0; left -= pattern.byteLength) {
    if (!file.write(pattern.subarray(0, Math.min(left, pattern.byteLength)))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  return total;
}

/** Normally distributed, as weights are (sum of uniform numbers), with deviation 0.02. */
function normalBf16(count: number): Uint16Array {
  let state = 1;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  const values = Float32Array.from(
    { length: count },
    () => 0.02 * (uniform() + uniform() + uniform() + uniform()) * Math.sqrt(3),
  );
  return Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
}

/** Source megabytes a CPU second of this thread, by dtype. */
function quantizing(): Record<string, number> {
  const bf16 = normalBf16(1 << 22);
  const f32 = Float32Array.from(bf16, (half) => new Float32Array(Uint32Array.of(half << 16).buffer)[0]);
  const f16 = Uint16Array.from(bf16, (half) => (half & 0x8000) | ((half & 0x1fff) + 0x0400));
  const result: Record<string, number> = {};
  for (const [dtype, elements] of [
    ['BF16', bf16],
    ['F16', f16],
    ['F32', f32],
  ] as const) {
    let best = Infinity;
    for (let run = 0; run < 6; run++) {
      const quantizer = new Nf4Quantizer(elements.length);
      const before = process.cpuUsage().user;
      quantizer.push(elements, dtype);
      best = Math.min(best, process.cpuUsage().user - before);
    }
    result[dtype] = elements.byteLength / best;
  }
  return result;
}

/** CPU seconds and resident memory of this process's descendants; zeros where the system has no /proc. */
function processes(): { cpuSeconds: number; residentMB: number } {
  const sums = { cpuSeconds: 0, residentMB: 0 };
  if (!existsSync('/proc/self/stat')) return sums;
  const stats = new Map<number, { parent: number; cpuSeconds: number; residentMB: number }>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      stats.set(Number(entry), {
        parent: Number(fields[1]),
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
        residentMB: (Number(fields[21]) * 4096) / 1e6,
      });
    } catch {
      // It has just ended.
    }
  }
  for (const [id, { cpuSeconds, residentMB }] of stats) {
    let ancestor = id;
    while (ancestor > 1 && ancestor !== process.pid) ancestor = stats.get(ancestor)?.parent ?? 0;
    if (ancestor !== process.pid || id === process.pid) continue;
    sums.cpuSeconds += cpuSeconds;
    sums.residentMB += residentMB;
  }
  return sums;
}
