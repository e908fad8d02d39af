/**
 * Closes the connections that this visit does not need. The policy in index.html has to leave loopback open
 * for `?hub=http://localhost:…` and `?answers=http://localhost:…`; a second policy, which can only forbid,
 * closes it but for the hub and the server of answers that the address names. Workers inherit both.
 */
import { answersEndpoint } from './data/distil/answersAddress.ts';
import { hubChoice } from './model/hubEndpoint.ts';

const POLICY = 'meta[http-equiv="Content-Security-Policy"]';
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost):\*$/;

export function tightenPolicy(): void {
  const { endpoint } = hubChoice();
  const wide = document.querySelector<HTMLMetaElement>(POLICY)!.content;
  const [, sources] = /connect-src ([^;]*)/.exec(wide)!;
  const kept = sources.split(' ').filter((source) => !LOOPBACK.test(source));
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  const answers = answersEndpoint();
  const named = [endpoint ? new URL(endpoint).origin : null, answers].filter((origin) => origin !== null);
  meta.content = `connect-src ${[...kept, ...named].join(' ')}`;
  document.head.append(meta);
}
