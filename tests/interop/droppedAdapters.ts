/**
 * The page with the demo model chats with the adapters that dropped_adapters.py made, each dropped as its
 * folder, and evaluates them: answers and losses are PEFT's.
 *
 *     node scripts/run.mjs tests/interop/droppedAdapters.ts FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { findOrInstallBrowser, launchBrowser } from '../../scripts/lib/browser.ts';
import { chooseFiles, settle } from '../../scripts/lib/drivePage.ts';
import { buildSite, root, serveSite } from '../../scripts/lib/site.ts';

/** Of a loss; the page shows three decimals. */
const BOUND = 1e-3;
/** Logits: a choice that was closer may fall otherwise in another order of summation. */
const CLEAR = 1e-2;

interface Expected {
  file: string;
  kinds: Record<
    string,
    { base: number; loss: number; answers: { question: string; text: string; margin: number }[] }
  >;
}

export async function main([folder]: string[]): Promise<number> {
  const { file, kinds } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  await buildSite();
  const site = await serveSite();
  const { browser } = await launchBrowser(findOrInstallBrowser()!, site.url);
  let wrong = 0;
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(site.url);
    const recipe = join(folder, 'recipe.json');
    writeFileSync(recipe, JSON.stringify({ model: 'demo', system_prompt: null }));
    await chooseFiles(page, 'Load a recipe', recipe);
    const demo = (name: string) => join(root, 'public', 'demo', name);
    await chooseFiles(
      page,
      'Choose model files',
      ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'].map(demo),
    );
    await chooseFiles(page, 'Choose data files', demo(file));
    for (const [kind, { base, loss, answers }] of Object.entries(kinds)) {
      const files = readdirSync(join(folder, kind)).filter((name) => name.startsWith('adapter_'));
      await page
        .locator('input[aria-label="Choose adapter files to try"]')
        .setInputFiles(files.map((name) => join(folder, kind, name)));
      await settle(page);
      const result = page.getByRole('region', { name: 'Result', exact: true });
      await result.getByLabel('Message to the model').waitFor();
      await chatGreedily(result);
      for (const { question, text, margin } of answers) {
        const again = result.getByRole('button', { name: 'New conversation' });
        if (await again.isEnabled()) await again.click();
        await result.getByLabel('Message to the model').fill(question);
        await result.getByRole('button', { name: 'Send' }).click();
        const answer = result.locator('[aria-label="Tuned answer 1"][aria-busy="false"]');
        await answer.waitFor();
        await result.getByRole('button', { name: 'Send' }).waitFor();
        const said = (await answer.locator('.text').innerText()).trim();
        const equal = said === text;
        if (!equal && margin > CLEAR) wrong++;
        console.log(`${kind}: ${question} → ${JSON.stringify(said)}${equal ? '' : `, PEFT ${text}`}`);
      }
      await result.getByText('Evaluate on validation files').click();
      await result.getByRole('button', { name: /^Evaluate on / }).click();
      const row = result.getByRole('table', { name: 'Evaluation of the adapter' }).getByRole('row').nth(1);
      await row.waitFor();
      const [, ourBase, ours] = (await row.innerText()).split(/\s+/).map(Number);
      const off = Math.max(Math.abs(ourBase - base), Math.abs(ours - loss));
      console.log(
        `${kind}: base ${ourBase}, PEFT ${base.toFixed(6)}; adapter ${ours}, PEFT ${loss.toFixed(6)}`,
      );
      if (!(off <= BOUND)) wrong++;
    }
    console.log(`${Object.keys(kinds).length} adapters, ${wrong} differences`);
    return wrong > 0 ? 1 : 0;
  } finally {
    await browser.close();
    await site.close();
  }
}

async function chatGreedily(result: Locator): Promise<void> {
  const greedy = result.getByLabel(/Greedy: always/);
  if (!(await greedy.isVisible())) await result.getByText('Sampling', { exact: true }).click();
  await greedy.check();
  await result.getByLabel('max_new_tokens').fill('24');
}
