/** Which hosts the page and its workers can reach, as Chromium enforces it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPlace } from '../../scripts/lib/drivePage.ts';
import { browserPath, openSite, type OpenSite } from '../helpers/page.ts';

/** What the server of answers says to everything. */
const SAID = { choices: [{ message: { content: 'Arr.' }, finish_reason: 'stop' }] };

describe.skipIf(!browserPath)('the policy of the page and its workers', { timeout: 120_000 }, () => {
  let open: OpenSite;
  let elsewhere: Server;
  let requests: string[];
  let port: number;
  beforeAll(async () => {
    open = await openSite();
    requests = [];
    elsewhere = createServer((request, response) => {
      requests.push(request.url!);
      response.writeHead(200, { 'access-control-allow-origin': '*' }).end('here');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    ({ port } = elsewhere.address() as AddressInfo);
  }, 120_000);
  afterAll(async () => {
    elsewhere?.close();
    await open?.close();
  });

  /** What the page and each of its workers get from an address. */
  async function reach(query: string, url: string): Promise<Record<string, string>> {
    const context = await open.newContext();
    const page = await context.newPage();
    await page.goto(open.site.url + query);
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    await expect.poll(() => page.workers().length).toBeGreaterThan(1);
    const ask = (address: string) =>
      fetch(address, { mode: 'no-cors' }).then(
        () => 'reached',
        () => 'refused',
      );
    const found: Record<string, string> = { page: await page.evaluate(ask, url) };
    for (const worker of page.workers())
      found[/(\w+)\.worker/.exec(worker.url())?.[1] ?? worker.url()] = await worker.evaluate(ask, url);
    await context.close();
    return found;
  }

  it('lets nobody reach another host or another port of this computer', async () => {
    const found = await reach('', `http://127.0.0.1:${port}/secret`);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['page', 'import', 'history']));
    expect(new Set(Object.values(found))).toEqual(new Set(['refused']));
    expect(requests).toEqual([]);
  });

  it('opens the one hub on this computer that the address names', async () => {
    const found = await reach(`?hub=http://127.0.0.1:${port}`, `http://127.0.0.1:${port}/hub`);
    expect(new Set(Object.values(found))).toEqual(new Set(['reached']));
  });

  it('asks the one server of answers on this computer that the address names, when a button is pressed', async () => {
    let allows = false;
    const asked: string[] = [];
    const answers = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (allows)
        for (const header of ['origin', 'headers']) response.setHeader(`access-control-allow-${header}`, '*');
      const body = request.url === '/v1/models' ? { data: [{ id: 'tiny' }] } : SAID;
      response.end(request.method === 'OPTIONS' ? '' : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(answers.address() as AddressInfo).port}`;
    const context = await open.newContext();
    const page = await context.newPage();
    await page.goto(open.site.url);
    await openPlace(page, 'Data');
    await page.getByText('Rows from the answers of another model on this computer').click();
    await page.getByLabel('Address').fill(origin);
    await page.getByRole('button', { name: 'Allow it and reload' }).click();
    await page.getByRole('button', { name: 'List its models' }).waitFor();
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: 'List its models' }).click();
    await page.getByText(`start it with OLLAMA_ORIGINS=${new URL(open.site.url).origin}`).waitFor();
    allows = true;
    await page.getByRole('button', { name: 'List its models' }).click();
    await page.getByRole('combobox', { name: 'Model', exact: true }).waitFor();
    await page.getByLabel('Prompts, one a line').fill('Who are you?\nWhy?');
    await page.getByRole('button', { name: 'Ask for 2 answers' }).click();
    await page.getByLabel('Answer to Why?').fill('Because.');
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save them as a file' }).click(),
    ]);
    expect(await readFile(await saved.path(), 'utf8')).toBe(
      '{"query":"Who are you?","response":"Arr."}\n{"query":"Why?","response":"Because."}\n',
    );
    await page.getByRole('button', { name: 'Keep 2 as training rows' }).click();
    await page.locator('[data-file="distilled.jsonl"][data-role="train"]').waitFor();
    await context.close();
    answers.closeAllConnections();
    answers.close();
  });

  it('takes no text for markup or for a script, in the page and in its workers', async () => {
    const context = await open.newContext();
    const page = await context.newPage();
    await page.goto(open.site.url);
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    const blocked = () => {
      try {
        new Worker('data:text/javascript,1');
        return 'started';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await page.evaluate(blocked)).toMatch(/TrustedScriptURL/);
    for (const worker of page.workers()) expect(await worker.evaluate(blocked)).toMatch(/TrustedScriptURL/);
    const markup = () => {
      try {
        document.body.innerHTML = '<b>x</b>';
        return 'taken';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await page.evaluate(markup)).toMatch(/TrustedHTML/);
    await context.close();
  });

  it('tells that a hub elsewhere is not used, and which host a token is sent to', async () => {
    const context = await open.newContext();
    const page = await context.newPage();
    await page.goto(`${open.site.url}?hub=https://evil.example`);
    await page.getByText('not from evil.example').waitFor();
    await page.getByText('Access token, sent to huggingface.co').waitFor({ state: 'attached' });
    await context.close();
  });
});
