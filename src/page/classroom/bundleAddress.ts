/** A bundle that the page's address names: `?bundle=class.finetab`, beside the page or on this computer. */
import { t } from '../language/messages.svelte.ts';
import { isLoopback } from '../../lib/hubAddress.ts';

export interface BundleChoice {
  /** Null: the address names none, or one that is not opened. */
  url: string | null;
  /** Why the named one is not opened. */
  refusal: string | null;
}

/** Only the page's own host and this computer: the page's policy lets it fetch from nowhere else. */
export function bundleChoice(href = location.href): BundleChoice {
  const named = new URL(href).searchParams.get('bundle');
  if (named === null || named === '') return { url: null, refusal: null };
  const page = new URL(href);
  const url = URL.parse(named, `${page.origin}${page.pathname}`);
  const isOwn = url !== null && url.origin === page.origin && url.username === '' && url.password === '';
  if (url && (isOwn || isLoopback(url))) return { url: url.href, refusal: null };
  return {
    url: null,
    refusal: t.classroom.foreignBundle(url?.host || JSON.stringify(named)),
  };
}

/** The last part of an address's path. */
export function bundleName(url: string): string {
  return new URL(url).pathname.split('/').at(-1)!;
}
