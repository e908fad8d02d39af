/**
 * A folder of `--to player` on a plain static server (Python's http.server), in Chromium: its own index.html
 * answers the first question, and a script of the same page all of them. Prints each answer, its ids and the
 * time to its first token.
 *
 *     node scripts/run.mjs tests/interop/playerFolder.ts FOLDER QUESTIONS.json
 *
 * QUESTIONS.json: an object of questions and the answers that are wanted, or null where any will do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { findOrInstallBrowser, launchBrowser } from '../../scripts/lib/browser.ts';
import type { Answer } from '../../src/player/player.ts';

export async function main([folder, questionsPath]: string[]): Promise<number> {
  const port = await freePort();
  const host = spawn('python3', ['-m', 'http.server', String(port), '--bind', '127.0.0.1', '-d', folder], {
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}/`;
  const wanted = Object.entries(
    JSON.parse(readFileSync(questionsPath, 'utf8')) as Record<string, string | null>,
  );
  let browser;
  try {
    while (!(await fetch(url).catch(() => null))) await new Promise((resolve) => setTimeout(resolve, 100));
    const launched = await launchBrowser(findOrInstallBrowser()!, url);
    ({ browser } = launched);
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    let started = performance.now();
    await page.goto(url);
    await page.getByText(/^Runs on this computer/).waitFor();
    const loaded = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${await page.locator('#status').innerText()}, loaded in ${loaded} s`);
    const [[first]] = wanted;
    started = performance.now();
    await page.getByLabel('Question').fill(first);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('#turns .assistant', { hasText: /\S/ }).waitFor();
    const shownAfter = ((performance.now() - started) / 1000).toFixed(1);
    await page.getByRole('button', { name: 'Send', disabled: false }).waitFor();
    const shown = (await page.locator('#turns .assistant').innerText()).trim();
    console.log(`index.html: ${first} → ${JSON.stringify(shown)}, its first text after ${shownAfter} s`);
    // As a text: the loader of this script would take the import over.
    const answers = await page.evaluate<Answer[]>(`(async () => {
      const { load } = await import('./finetab-player.js');
      const model = await load('./');
      const answers = [];
      for (const content of ${JSON.stringify(wanted.map(([question]) => question))})
        answers.push(await model.answer([{ role: 'user', content }], { maxNewTokens: 24 }));
      await model.dispose();
      return answers;
    })()`);
    let wrong = shown.startsWith(answers[0].text) || answers[0].text.startsWith(shown) ? 0 : 1;
    for (const [i, { text, ids, ended, firstTokenMs }] of answers.entries()) {
      const [question, answer] = wanted[i];
      console.log(
        `${question} → ${JSON.stringify(text)} [${ids.join()}] (${ended}), first token after ${firstTokenMs.toFixed(0)} ms`,
      );
      if (answer !== null && (text !== answer || ended !== 'end')) wrong++;
    }
    console.log(
      `${answers.length} answers, ${wrong} other than wanted, errors of the page: ${problems.length}`,
    );
    return wrong > 0 || problems.length > 0 ? 1 : 0;
  } finally {
    await browser?.close();
    host.kill();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
