import { describe, expect, it } from 'vitest';
import { downloadVerdict } from '../../src/import/beforeDownload.ts';
import { baseModelName } from '../../src/lib/modelNames.ts';
import { hubChoice } from '../../src/page/model/hubEndpoint.ts';

describe('the base model of a run', () => {
  it.each([
    ['demo', 'SmolLM2-135M-Instruct', 'SmolLM2-135M-Instruct'],
    ['other/Model-1B', 'SmolLM2-135M-Instruct', 'SmolLM2-135M-Instruct'],
    ['HuggingFaceTB/SmolLM2-135M-Instruct', 'SmolLM2-135M-Instruct', 'HuggingFaceTB/SmolLM2-135M-Instruct'],
    ['folder:x/tiny', 'tiny', 'tiny'],
    ['', 'tiny', 'tiny'],
    ['a/tiny', 'b/tiny', 'a/tiny'],
  ])('recipe %j, trained on %s: %s', (inRecipe, used, base) => {
    expect(baseModelName(inRecipe, used)).toBe(base);
  });
});

describe('before a download', () => {
  it('says what it takes of the disk and of the GPU', () => {
    expect(downloadVerdict(2 ** 30, 4 * 2 ** 30, 2 * 2 ** 30)).toBe(
      'It takes 1 GiB of the 4 GiB of browser storage that are free; its weights leave 1 GiB of the 2 GiB of GPU memory that the recipe allows.',
    );
    expect(downloadVerdict(2 ** 33, 2 ** 32, 2 ** 31)).toMatch(
      /^It does not fit: it takes 8 GiB of browser storage, and 4 GiB are free; training needs more than 8.25 GiB/,
    );
  });

  it('names the host; the hub of a link is used on this computer alone', () => {
    expect(hubChoice('https://page.example/')).toEqual({
      endpoint: undefined,
      host: 'huggingface.co',
      refusal: null,
    });
    expect(hubChoice('https://page.example/?hub=http://127.0.0.1:99/').endpoint).toBe('http://127.0.0.1:99');
    const foreign = hubChoice('https://page.example/?hub=https://evil.example');
    expect(foreign.endpoint).toBeUndefined();
    expect(foreign.host).toBe('huggingface.co');
    expect(foreign.refusal).toMatch(/from huggingface.co only.* not from evil.example. Remove "\?hub="/);
  });
});
