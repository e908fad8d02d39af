import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadModel } from '../../scripts/lib/drivePage.ts';
import { fakeHub, type FakeHub } from '../helpers/fakeHub.ts';
import { browserPath, openSite, pageErrors, type OpenSite } from '../helpers/page.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

const ID = 'someone/tiny-model';

describe.skipIf(!browserPath)('a model from the Hub', { timeout: 240_000 }, () => {
  let open: OpenSite;
  let hub: FakeHub;
  beforeAll(async () => {
    open = await openSite();
    hub = await fakeHub(ID, tinyModelFiles(), 'hf_secret');
  }, 240_000);
  afterAll(async () => {
    await hub?.close();
    await open?.close();
  });

  it('is asked for by name, needs its token, and is kept for the next visit', async () => {
    const context = await open.newContext();
    const page = await context.newPage();
    const errors = pageErrors(page);
    await page.goto(`${open.site.url}?hub=${encodeURIComponent(hub.url)}`);
    await expect(downloadModel(page, ID)).rejects.toThrow(
      /does not give someone\/tiny-model without permission.*enter an access token/,
    );
    await downloadModel(page, ID, 'hf_secret');
    await page.getByText('someone/tiny-model: llama').waitFor({ state: 'attached' });
    const again = await context.newPage();
    await again.goto(open.site.url);
    await again.getByRole('button', { name: `Use ${ID}` }).waitFor({ state: 'attached' });
    expect(await again.evaluate(() => JSON.stringify(localStorage))).not.toContain('hf_secret');
    // A refused request is reported on the console too.
    expect(errors.filter((error) => !/status of 401/.test(error))).toEqual([]);
    await context.close();
  });
});
