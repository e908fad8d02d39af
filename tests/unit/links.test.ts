/**
 * Where the page's links lead: within the page to places that there are, outside to documentation by
 * addresses as its own pages have them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTING_SOURCES, sourceName, TERM_SOURCES } from '../../src/page/explain/sources.ts';
import { LESSON } from '../../src/page/explain/lesson/FirstLesson.svelte.ts';
import { placeOfHash } from '../../src/page/layout/places.ts';

/**
 * Parameters of each class that its documentation has an anchor for
 * (tests/interop/make_documented_keys.py).
 */
const DOCUMENTED = JSON.parse(
  readFileSync(new URL('../fixtures/documentedKeys.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;
/** Pages of Hugging Face's documentation, and anchors of headings on them. */
const PAGES: Record<string, string[]> = {
  'transformers/main_classes/trainer': [],
  'transformers/main_classes/text_generation': [],
  'transformers/main_classes/callback': ['transformers.EarlyStoppingCallback'],
  'transformers/chat_templating': [],
  'transformers/chat_templating_writing': [],
  'transformers/model_memory_anatomy': [],
  'transformers/tokenizer_summary': [],
  'transformers/perplexity': [],
  'transformers/kv_cache': [],
  'trl/index': [],
  'trl/dataset_formats': [],
  'trl/sft_trainer': ['train-on-assistant-messages-only'],
  'trl/dpo_trainer': ['logged-metrics'],
  'trl/kto_trainer': [],
  'trl/grpo_trainer': [],
  'trl/cpo_trainer': [],
  'peft/package_reference/lora': [],
  'evaluate/index': [],
};
const addresses = Object.entries({ ...SETTING_SOURCES, ...TERM_SOURCES }).filter(
  (entry): entry is [string, string] => entry[1] !== null,
);

describe('links', () => {
  it.each(addresses)('of %s leads to a page and an anchor of the documentation', (_key, address) => {
    const { protocol, hostname, pathname, hash, search } = new URL(address);
    expect([protocol, search]).toEqual(['https:', '']);
    expect(sourceName(address)).not.toBe('');
    if (hostname === 'arxiv.org') return expect(pathname).toMatch(/^\/abs\/\d{4}\.\d{5}$/);
    expect(hostname).toBe('huggingface.co');
    if (pathname.startsWith('/spaces/'))
      return expect(pathname).toMatch(/^\/spaces\/evaluate-metric\/(rouge|sacrebleu|chrf|exact_match)$/);
    const page = pathname.replace(/^\/docs\//, '');
    expect(Object.keys(PAGES)).toContain(page);
    const anchor = hash.slice(1);
    if (anchor === '' || PAGES[page].includes(anchor)) return;
    const [, owner, key] = /^(.*)\.(\w+)$/.exec(anchor)!;
    expect(DOCUMENTED[owner], owner).toContain(key);
  });

  it('within the page lead to its places', () => {
    const folder = new URL('../../src/page/', import.meta.url);
    const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.svelte'))
      .flatMap((path) => [...readFileSync(new URL(path, folder), 'utf8').matchAll(/href="(#[^"]*)"/g)]);
    expect(found.length).toBeGreaterThan(0);
    for (const [, hash] of found) expect(placeOfHash(hash), hash).not.toBeNull();
  });

  it('of the first lesson point at parts that the page has', () => {
    const folder = new URL('../../src/page/', import.meta.url);
    const page = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.svelte'))
      .map((path) => readFileSync(new URL(path, folder), 'utf8'))
      .join('');
    for (const { target } of LESSON) expect(page).toContain(target.slice(1, -1));
  });
});
