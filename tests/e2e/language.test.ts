/** The page in the browser's language, and in another that a person chooses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { de } from '../../src/page/language/de.ts';
import { en } from '../../src/page/language/en.ts';
import { browserPath, openSite, pageErrors, type OpenSite } from '../helpers/page.ts';

/** All texts of a language that take no parameter. */
function textsOf(messages: object): string[] {
  return Object.values(messages).flatMap((value: unknown) =>
    typeof value === 'string' ? [value] : typeof value === 'object' ? textsOf(value as object) : [],
  );
}

describe.skipIf(!browserPath)('languages', { timeout: 60_000 }, () => {
  let open: OpenSite;
  beforeAll(async () => {
    open = await openSite();
  }, 120_000);
  afterAll(() => open?.close());

  it('a German browser gets a German page; another language is kept once it is chosen', async () => {
    const context = await open.newContext({ locale: 'de-DE', serviceWorkers: 'block' });
    const page = await context.newPage();
    const errors = pageErrors(page);
    await page.goto(open.site.url);
    await page.getByRole('button', { name: 'Mit der Demo ausprobieren' }).waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('de');

    const card = page.getByRole('listitem').filter({ hasText: 'SmolLM2-360M-Instruct' });
    await page.getByLabel('Modelle filtern').fill('smollm2 apache');
    expect(await card.innerText()).toMatch(
      /Englisch; eine enge Aufgabe[^]*GPU-Speicher, mindestens\s\d+(,\d+)? MiB/,
    );
    await page.getByText('3 von 21 Modellen').waitFor();

    const german = new Set(textsOf(de));
    const english = new Set(textsOf(en).filter((text) => !german.has(text)));
    expect(english.size).toBeGreaterThan(400);
    const shown = await page.evaluate(() => {
      const said = [...document.querySelectorAll('[aria-label], [placeholder], [title]')].flatMap((element) =>
        ['aria-label', 'placeholder', 'title'].map((name) => element.getAttribute(name) ?? ''),
      );
      return [...said, ...document.body.innerText.split('\n')].map((text) => text.trim()).filter(Boolean);
    });
    expect(shown.length).toBeGreaterThan(50);
    expect(shown).toContain('Neu hier?');
    expect(shown.filter((text) => english.has(text))).toEqual([]);

    await page.getByLabel('Sprache').selectOption('English');
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    await page.getByLabel('Language').selectOption({ label: 'Auto: Deutsch' });
    await page.getByRole('button', { name: 'Mit der Demo ausprobieren' }).waitFor();
    expect(errors).toEqual([]);
    await context.close();
  });

  it('an English browser loads no German', async () => {
    const context = await open.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(open.site.url);
    await page.getByRole('button', { name: 'Try it with the demo' }).waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    const isGerman = (path: string) => /\/de-[\w-]+\.js$/.test(path);
    expect(requests.filter(isGerman)).toEqual([]);
    // It has a file of its own, which is loaded now.
    await page.getByLabel('Language').selectOption('Deutsch');
    await page.getByRole('button', { name: 'Mit der Demo ausprobieren' }).waitFor();
    expect(requests.filter(isGerman).length).toBe(1);
    await context.close();
  });
});
