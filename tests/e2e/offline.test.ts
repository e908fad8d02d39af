/** The service worker: a page is of one version, and a page is never kept in the place of a script. */
import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../scripts/lib/browser.ts';
import { root } from '../../scripts/lib/site.ts';
import { browserPath, newContext } from '../helpers/page.ts';

const TYPES: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/** A host that answers index.html for what it has not, as those of single-page applications do. */
class Host {
  folder = join(root, 'dist');
  missing: string | null = null;
  private readonly server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://host');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const path = name === this.missing ? 'index.html' : name;
    readFile(join(this.folder, path)).then(
      (bytes) =>
        response
          .writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
          .end(bytes),
      () => response.writeHead(404).end(),
    );
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}/`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe.skipIf(!browserPath)('the service worker', { timeout: 240_000 }, () => {
  let host: Host;
  let url: string;
  let launched: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    host = new Host();
    url = await host.listen();
    launched = await launchBrowser(browserPath!, url);
  }, 240_000);
  afterAll(async () => {
    await launched?.browser.close();
    host?.close();
  });

  const visit = async (context: BrowserContext): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    return page;
  };
  const ready = (page: Page) => page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

  it('does not keep a page that came for a script, and is installed once the host is whole', async () => {
    const assets = await readdir(join(host.folder, 'assets'));
    host.missing = `assets/${assets.find((name) => name.startsWith('trainer.worker'))!}`;
    const context = await newContext(launched.browser);
    const page = await visit(context);
    // The installation fails by the script's hash.
    await page.waitForFunction(async () => {
      const [registration] = await navigator.serviceWorker.getRegistrations();
      return !registration?.installing && !registration?.waiting;
    });
    const kept = await page.evaluate(async () => {
      const entries: string[] = [];
      for (const name of await caches.keys())
        for (const { url: address } of await (await caches.open(name)).keys()) entries.push(address);
      return entries;
    });
    expect(
      await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active),
    ).toBeFalsy();
    expect(kept.filter((address) => address.includes('trainer.worker'))).toEqual([]);
    host.missing = null;
    await page.reload();
    await ready(page);
    await context.close();
  });

  it('gives an open tab its own version, and the next one only when all are closed', async () => {
    host.folder = join(root, 'dist');
    const context = await newContext(launched.browser);
    const first = await visit(context);
    await ready(first);
    await first.reload();
    // The next version: another page under the same address, another list.
    const next = await mkdtemp(join(tmpdir(), 'finetab-next-'));
    await cp(host.folder, next, { recursive: true });
    const html = await readFile(join(next, 'index.html'), 'utf8');
    await writeFile(join(next, 'index.html'), html.replace('lang="en"', 'lang="en" data-version="next"'));
    const worker = await readFile(join(next, 'sw.js'), 'utf8');
    const changed = worker.replace(/(index\.html",\s*"?revision"?:\s*")[0-9a-f]{8}/, '$100000000');
    const other = worker.replace(/(revision"?:\s*")[0-9a-f]{8}([0-9a-f]*"[^}]*index\.html)/, '$100000000$2');
    const made = changed === worker ? other : changed;
    expect(made).not.toBe(worker);
    await writeFile(join(next, 'sw.js'), made);
    host.folder = next;
    const version = (page: Page) => page.evaluate(() => document.documentElement.dataset.version ?? 'first');
    await first.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await first.waitForFunction(async () => (await navigator.serviceWorker.ready).waiting !== null);
    // Both an open tab's reload and a new tab beside it are of the version that is open.
    await first.reload();
    const second = await visit(context);
    expect([await version(first), await version(second)]).toEqual(['first', 'first']);
    await first.close();
    await second.close();
    await expect
      .poll(
        async () => {
          const page = await visit(context);
          const found = await version(page);
          await page.close();
          return found;
        },
        { timeout: 20_000 },
      )
      .toBe('next');
    await context.close();
  });
});
