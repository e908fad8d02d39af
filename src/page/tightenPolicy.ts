/**
 * Closes the connections that this visit does not need. The policy in index.html has to leave loopback open
 * for `?hub=`, `?answers=` and `?bundle=` of http://localhost:…; a second policy, which can only forbid,
 * closes it but for those that the address names. Workers inherit both.
 */
import { bundleChoice } from './classroom/bundleAddress.ts';
import { answersEndpoint } from './data/distil/answersAddress.ts';
import { hubChoice } from './model/hubEndpoint.ts';

const POLICY = 'meta[http-equiv="Content-Security-Policy"]';
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost):\*$/;

export function tightenPolicy(): void {
  const named = [hubChoice().endpoint, bundleChoice().url, answersEndpoint()].filter(
    (url) => typeof url === 'string',
  );
  const wide = document.querySelector<HTMLMetaElement>(POLICY)!.content;
  const [, sources] = /connect-src ([^;]*)/.exec(wide)!;
  const kept = sources.split(' ').filter((source) => !LOOPBACK.test(source));
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = `connect-src ${[...kept, ...named.map((url) => new URL(url).origin)].join(' ')}`;
  document.head.append(meta);
}
