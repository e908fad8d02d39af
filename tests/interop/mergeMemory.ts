/**
 * The page merges an adapter into a model of 1B shapes in Chromium: what its renderer takes meanwhile, and
 * the file's SHA-256, which is that of Python's merge.
 *
 *     python tests/interop/large_merge.py make FOLDER
 *     node scripts/run.mjs tests/interop/mergeMemory.ts FOLDER [SHA256]
 *
 * FOLDER holds model/ and adapter/; SHA256 is what `large_merge.py sha256 FOLDER` prints.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { Page } from 'playwright-core';
import { en } from '../../src/page/language/en.ts';
import { chooseFiles, openTab, settle } from '../../scripts/lib/drivePage.ts';
import { findOrInstallBrowser, launchProfile } from '../../scripts/lib/browser.ts';
import { Threads } from '../../scripts/soak/threads.ts';
import { buildSite, serveSite } from '../../scripts/lib/site.ts';

const BOUND_MB = 600;

export async function main([folder, expected]: string[]): Promise<number> {
  await buildSite();
  const site = await serveSite();
  const profile = join(folder, 'profile');
  await rm(profile, { recursive: true, force: true });
  const context = await launchProfile(findOrInstallBrowser()!, site.url, profile);
  context.setDefaultTimeout(0);
  try {
    const page = await context.newPage();
    const measures = await Measures.of(page);
    await page.goto(site.url);
    const files = async (of: string) => {
      const names = await readdir(join(folder, of));
      return names.map((name) => join(folder, of, name));
    };
    await measures.during('the open page', () => settle(page));
    await measures.during('import', async () => {
      await chooseFiles(page, 'Choose model files', await files('model'));
    });
    await page
      .locator('input[aria-label="Choose adapter files to try"]')
      .setInputFiles(await files('adapter'));
    await page.getByRole('region', { name: 'Result', exact: true }).waitFor();
    await settle(page);
    await openTab(page, 'For other programs');
    const panel = page.getByRole('region', { name: 'For other programs' });
    const asZip = panel.getByLabel('as a zip');
    if (await asZip.count()) await asZip.check();
    const saved = page.waitForEvent('download');
    const failed = panel.getByRole('alert').innerText();
    const most = await measures.during('merge', async () => {
      await panel.getByRole('button', { name: en.result.exportForms.merged }).click();
      const failure = await Promise.race([saved.then(() => null), failed]);
      if (failure !== null) throw new Error(failure);
      await (await saved).saveAs(join(folder, 'merged.zip'));
    });
    await rm(join(folder, 'merged'), { recursive: true, force: true });
    await mkdir(join(folder, 'merged'));
    spawnSync('unzip', ['-q', join(folder, 'merged.zip'), '-d', join(folder, 'merged')], {
      stdio: 'inherit',
    });
    const sum = await sha256(join(folder, 'merged', 'model.safetensors'));
    console.log(`model.safetensors: ${sum}${expected ? `, Python's ${expected}` : ''}`);
    return most < BOUND_MB && (expected === undefined || sum === expected) ? 0 : 1;
  } finally {
    await context.close();
    await site.close();
  }
}

/** What the page's renderer and its JavaScript hold, the most of it during a piece of work. */
class Measures {
  private constructor(private readonly threads: Threads) {}

  /** @param page before it has started workers */
  static async of(page: Page): Promise<Measures> {
    return new Measures(await Threads.of(page));
  }

  /** @returns the most resident MB meanwhile */
  async during(name: string, work: () => Promise<void>): Promise<number> {
    const most = { resident: 0, own: 0, scripts: 0 };
    let threads = '';
    let going = true;
    const watch = async () => {
      while (going) {
        const { resident, own } = rendererMemory();
        const heaps = await this.threads.heaps(false).catch(() => []);
        const scripts = heaps.reduce((sum, { usedBytes }) => sum + usedBytes / 1e6, 0);
        most.resident = Math.max(most.resident, resident);
        most.own = Math.max(most.own, own);
        if (scripts > most.scripts)
          threads = heaps
            .map(({ thread, usedBytes }) => `${thread} ${(usedBytes / 1e6).toFixed(0)}`)
            .join(', ');
        most.scripts = Math.max(most.scripts, scripts);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const started = performance.now();
    const watched = watch();
    await work();
    going = false;
    await watched;
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${name}, ${seconds.toFixed(0)} s: at most ${most.resident.toFixed(0)} MB of the renderer resident, ${most.own.toFixed(0)} MB of it its own, ${most.scripts.toFixed(0)} MB of JavaScript, array buffers included (${threads})`,
    );
    return most.resident;
  }
}

/**
 * The page's renderer, which is the largest among this process's descendants: all that is resident, the
 * browser's code and files that it shares with other processes included, and what it shares with none.
 */
function rendererMemory(): { resident: number; own: number } {
  const parents = new Map<number, number>();
  const renderers: number[] = [];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = textOf(`/proc/${entry}/stat`)
      .replace(/^.*\) /, '')
      .split(' ');
    parents.set(Number(entry), Number(stat[1]));
    if (textOf(`/proc/${entry}/cmdline`).includes('--type=renderer')) renderers.push(Number(entry));
  }
  const isOurs = (id: number): boolean => id === process.pid || (id > 1 && isOurs(parents.get(id) ?? 0));
  const most = { resident: 0, own: 0 };
  for (const id of renderers.filter(isOurs)) {
    const rollup = textOf(`/proc/${id}/smaps_rollup`);
    const megabytes = (field: RegExp) =>
      [...rollup.matchAll(field)].reduce((sum, [, value]) => sum + (Number(value) * 1024) / 1e6, 0);
    const own = megabytes(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm);
    if (own > most.own) Object.assign(most, { own, resident: megabytes(/^Rss:\s+(\d+) kB/gm) });
  }
  return most;
}

/** '' where the process has just ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
