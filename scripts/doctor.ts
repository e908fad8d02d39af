/**
 * `npm run doctor`: what this machine's browser and GPU can do for Finetab, which models fit, how fast, and
 * what to do about each problem.
 */
import { createServer } from 'node:http';
import { totalmem } from 'node:os';
import { build, type Rolldown } from 'vite';
import type { Page } from 'playwright-core';
import type * as probeScript from './doctor/probe.ts';
import type { Probe, Speed } from './doctor/probe.ts';
import { findBrowser, launchBrowser, NO_BROWSER } from './lib/browser.ts';
import { root } from './lib/site.ts';
import { table } from './lib/textTable.ts';

const MODELS = ['SmolLM2-135M', 'Qwen2.5-0.5B', 'Llama-3.2-1B', 'Llama-3.2-3B'];
const TOKENS = 1024;
const MEASURE_MS = 3000;
/** First Chromium with WebGPU switched on. */
const FIRST_VERSION = 113;
/** Tokens that a small fine-tuning sees: 1,000 rows of 200 tokens, three times. */
const TYPICAL_TOKENS = 600_000;

export async function main(): Promise<number> {
  const executable = findBrowser();
  console.log(`Node ${process.versions.node} on ${process.platform}, ${gib(totalmem())} of memory`);
  if (!executable)
    return end([
      `${NO_BROWSER} On Debian and Ubuntu: apt-get install chromium (\`npm test\` does that by itself where it may).`,
    ]);
  // WebGPU is offered to secure contexts only; loopback is one.
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>doctor</title>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  const { browser } = await launchBrowser(executable, url);
  try {
    const version = browser.version();
    console.log(`Browser: ${executable}, version ${version}`);
    if (Number.parseInt(version) < FIRST_VERSION)
      return end([`This browser is too old for WebGPU. Update it to version ${FIRST_VERSION} or later.`]);
    const page = await browser.newPage();
    await page.goto(url);
    await page.evaluate(await bundledProbe());
    return await report(page);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

async function report(page: Page): Promise<number> {
  const probe = await page.evaluate((models) => finetabProbe.probe(models), MODELS);
  if (!probe) {
    return end([
      "The browser offers no WebGPU adapter, not even a software one. Look at chrome://gpu. On Linux install a Vulkan driver (mesa-vulkan-drivers, or the vendor's own); elsewhere update the graphics driver. Until then the page trains very small models on TensorFlow.js only.",
    ]);
  }
  const { device, isSoftware, features, limits, fits, quotaBytes } = probe;
  console.log(`Adapter: ${device}${isSoftware ? ' (the processor: no graphics card is used)' : ''}`);
  console.log(`Features: ${features.map(({ name, there }) => `${name} ${there ? 'yes' : 'no'}`).join(', ')}`);
  console.log(
    `Limits: ${limits.map(({ name, value }) => `${name} ${name.endsWith('Size') ? bytesOf(value) : value}`).join(', ')}`,
  );
  console.log(`Browser storage: ${gib(quotaBytes)} may be used\n`);

  console.log(`Measuring training steps for ${MEASURE_MS / 1000} seconds…`);
  const speed = await page.evaluate((ms) => finetabProbe.measure(ms), MEASURE_MS);
  console.log(`${speed.gigaflops.toPrecision(3)} GFLOPS in whole training steps\n`);

  const trial = await tryMemory(page, probe);
  const rows = fits.map(({ name, bytes, reason, storedBytes, macsPerToken }) => {
    const rate = (speed.gigaflops * 1e9) / (2 * macsPerToken);
    return [
      name,
      bytes === null ? '–' : gib(bytes),
      gib(storedBytes),
      verdict(bytes, reason, storedBytes, trial, quotaBytes),
      bytes === null ? '–' : `${rate.toPrecision(2)} tokens/s`,
      bytes === null ? '–' : duration(TYPICAL_TOKENS / rate),
    ];
  });
  console.log(
    `Models with 4-bit weights, LoRA of rank 16 on all linear layers, micro-batches of ${TOKENS} tokens, gradient checkpointing:\n`,
  );
  console.log(`${table([['model', 'GPU memory', 'storage', 'fits', 'about', '1,000 rows × 3'], ...rows])}\n`);
  return end(problems(probe, trial, speed), rows.some((row) => row[3] === 'yes') ? 0 : 1);
}

interface Trial {
  wantedBytes: number;
  hadBytes: number;
}

/**
 * Tries for as much GPU memory as the largest plan needs, but never more than half of the machine's own
 * memory.
 */
async function tryMemory(page: Page, { fits }: Probe): Promise<Trial> {
  const wantedBytes = Math.min(totalmem() / 2, Math.max(0, ...fits.map(({ bytes }) => bytes ?? 0)));
  return {
    wantedBytes,
    hadBytes: await page.evaluate((bytes) => finetabProbe.tryMemory(bytes), wantedBytes),
  };
}

function verdict(
  bytes: number | null,
  reason: string | null,
  storedBytes: number,
  { wantedBytes, hadBytes }: Trial,
  quotaBytes: number,
): string {
  if (bytes === null) return `no: ${reason}`;
  if (storedBytes > quotaBytes) return 'no: too large for the storage';
  if (bytes <= hadBytes) return 'yes';
  return hadBytes < wantedBytes ? 'no: too little GPU memory' : 'not tried: over half of this memory';
}

function problems(
  { isSoftware, features, fits, quotaBytes }: Probe,
  { wantedBytes, hadBytes }: Trial,
  { gigaflops }: Speed,
): string[] {
  const found: string[] = [];
  if (isSoftware) {
    found.push(
      'No graphics card is used, so only very small models are practical (the demo is one). If this machine has one: install its driver with Vulkan (Linux: mesa-vulkan-drivers for AMD and Intel, the NVIDIA driver for NVIDIA), and see that "WebGPU" is hardware accelerated at chrome://gpu. On Linux, Chrome may want the flags --enable-unsafe-webgpu --enable-features=Vulkan.',
    );
  } else if (gigaflops < 100)
    found.push(
      'This GPU is slow for its kind. Plug the laptop in, close other tabs, and choose the high-performance GPU for the browser in the system settings.',
    );
  if (!isSoftware && !features.some(({ name, there }) => name === 'shader-f16' && there))
    found.push(
      'The adapter has no shader-f16, so everything is computed in 32 bits: right, but slower. A newer driver or browser may bring it; on Linux with NVIDIA there is none yet.',
    );
  if (hadBytes < wantedBytes)
    found.push(
      `The GPU gave ${gib(hadBytes)}. Close other programs that use it, choose a smaller model, or lower max_length.`,
    );
  if (fits.some(({ bytes }) => bytes === null))
    found.push(
      'Some models need larger buffers than this adapter allows. A lower max_length helps where activations are the cause; else choose a smaller model.',
    );
  if (fits.some(({ storedBytes }) => storedBytes > quotaBytes))
    found.push(
      'The browser may keep less than some models need. Free disk space: browsers allow a share of it.',
    );
  return found;
}

function end(found: readonly string[], code = 1): number {
  console.log(
    found.length === 0 ? 'No problem found.' : `What to do:\n${found.map((text) => `- ${text}`).join('\n')}`,
  );
  return code;
}

/** The probe with all that it imports, as one script that leaves `finetabProbe` behind. */
async function bundledProbe(): Promise<string> {
  const made = await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2023',
      lib: { entry: `${root}scripts/doctor/probe.ts`, formats: ['iife'], name: 'finetabProbe' },
    },
  });
  const [{ output }] = made as Rolldown.RolldownOutput[];
  return `${output[0].code};globalThis.finetabProbe = finetabProbe;`;
}

declare const finetabProbe: typeof probeScript;

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;
}

function bytesOf(bytes: number): string {
  return bytes >= 2 ** 20 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${Math.round(bytes / 2 ** 10)} KiB`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
