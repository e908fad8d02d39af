/**
 * Closes the connections that this visit does not need. The policy in index.html has to leave loopback open
 * for `?hub=http://localhost:…`; a second policy, which can only forbid, closes it but for the hub that the
 * address names. Workers inherit both.
 */
import { hubChoice } from './model/hubEndpoint.ts';

const MODEL_HOSTS = 'https://huggingface.co https://*.huggingface.co https://*.hf.co';

export function tightenPolicy(): void {
  const { endpoint } = hubChoice();
  const hub = endpoint ? new URL(endpoint).origin : '';
  const socket = import.meta.env.DEV ? 'ws:' : '';
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = `connect-src 'self' blob: ${MODEL_HOSTS} ${hub} ${socket}`;
  document.head.append(meta);
}
