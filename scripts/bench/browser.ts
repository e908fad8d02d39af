/** Runs the benchmark in headless Chromium: builds it, serves it on loopback and opens it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview } from 'vite';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from '../lib/browser.ts';
import { buildForProduction, root } from '../lib/site.ts';
import type { BenchFigures } from './figures.ts';
import type { BenchInPage } from './page.ts';

/** Chromium gets the switches in FINETAB_DAWN. @throws where there is no browser, or no adapter in it */
export async function benchInBrowser(options: Parameters<BenchInPage>[0]): Promise<BenchFigures> {
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  const outDir = await mkdtemp(join(tmpdir(), 'finetab-bench-'));
  const config = { root, configFile: false as const, logLevel: 'error' as const };
  try {
    await buildForProduction({
      ...config,
      build: {
        outDir,
        emptyOutDir: true,
        target: 'es2023',
        rollupOptions: { input: join(root, 'scripts', 'bench', 'page.html') },
      },
    });
    const server = await preview({ ...config, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
    const { port } = server.httpServer.address() as { port: number };
    const url = `http://127.0.0.1:${port}/scripts/bench/page.html`;
    const switches = (process.env.FINETAB_DAWN ?? '').split(';').filter(Boolean);
    const { browser } = await launchBrowser(
      executable,
      url,
      switches.map((each) => `--${each}`),
    );
    try {
      console.log(`Chromium ${browser.version()}`);
      const page = await browser.newPage(IN_ENGLISH);
      page.on('console', (message) => console.log(message.text()));
      await page.goto(url);
      await page.waitForFunction(() => 'bench' in globalThis);
      return await page.evaluate(
        (wanted) => (globalThis as unknown as { bench: BenchInPage }).bench(wanted),
        options,
      );
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    await rm(outDir, { recursive: true });
  }
}
