import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchBrowser } from '../../scripts/lib/browser.ts';
import { download, followRun, openPlace, openTab } from '../../scripts/lib/drivePage.ts';
import { root } from '../../scripts/lib/site.ts';
import { downloadSizes } from '../../scripts/lib/sizes.ts';
import { browserPath, newContext, pageErrors } from '../helpers/page.ts';
import { documentedHeaders, staticHost } from '../helpers/staticHost.ts';

const dist = join(root, 'dist');

describe('the built folder', { timeout: 600_000 }, () => {
  it('is a download of less than 1.6 MB gzipped with all that is loaded later, without the demo', async () => {
    const { page, player, demo } = await downloadSizes(dist);
    expect(page).toBeGreaterThan(100_000);
    expect(page).toBeLessThan(1_600_000);
    expect(player['finetab-player.js']).toBeLessThan(150_000);
    expect(demo).toBeLessThan(8 * 1024 * 1024);
  });

  it.skipIf(!browserPath)(
    'under a path, with the documented headers: one visit, then the demo without a network until it has learned',
    async () => {
      const host = await staticHost(
        dist,
        '/tools/finetab/',
        documentedHeaders(await readFile(join(root, 'docs', 'hosting.md'), 'utf8')),
      );
      const { browser } = await launchBrowser(browserPath!, host.url);
      try {
        const context = await newContext(browser);
        const page = await context.newPage();
        const errors = pageErrors(page);
        await page.goto(host.url);
        await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
        // Ready: everything that it keeps has been fetched.
        await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
        expect(host.requests.every((path) => path.startsWith('/tools/finetab/'))).toBe(true);
        await host.close();
        await context.setOffline(true);
        await page.reload();

        await page.getByRole('button', { name: 'Try it with the demo' }).click();
        const run = page.getByRole('region', { name: 'Run', exact: true });
        await run.getByRole('table', { name: 'Answers of pirate' }).waitFor();
        await openTab(page, 'What is learned');
        expect(await run.getByRole('listbox', { name: /Tokens of the micro-batch/ }).count()).toBe(1);
        // Half of it, up to its second evaluation, by when it has learned to talk like a pirate.
        let isStopped = false;
        const alerts = await followRun(page, ({ step }) => {
          if (step <= 15 || isStopped) return;
          isStopped = true;
          void page.getByRole('button', { name: 'Stop and keep the adapter' }).click();
        });
        expect(isStopped).toBe(true);
        // The page warns of what is forgotten; nothing else may be wrong.
        for (const alert of alerts) expect(alert).toMatch(/^Forgetting\./);

        const metrics = new TextDecoder()
          .decode(await download(page, 'metrics.jsonl'))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, number>);
        const losses = (name: string) =>
          metrics.map((line) => line[`eval_${name}_loss`]).filter((loss) => loss !== undefined);
        expect(losses('pirate').at(-1)!).toBeLessThan(losses('pirate')[0] / 2);
        // What the model could do before is reported apart: it knew it, and forgets some of it.
        for (const name of ['manners', 'arithmetic']) {
          expect(losses(name).length).toBe(losses('pirate').length);
          expect(losses(name)[0]).toBeLessThan(0.2);
        }
        await openPlace(page, 'Run');
        const rows = await run.getByRole('table', { name: 'Answers of pirate' }).locator('tbody tr').all();
        const answers = await Promise.all(
          rows.map(async (row) => (await row.locator('td').allInnerTexts()).map((text) => text.trim())),
        );
        for (const [before] of answers) expect(before).not.toMatch(/matey|Arr/);
        expect(answers.filter(([, after]) => after.includes('matey')).length).toBeGreaterThan(
          answers.length / 2,
        );
        expect(errors).toEqual([]);
        await context.close();
      } finally {
        await browser.close();
        await host.close().catch(() => undefined);
      }
    },
  );
});
