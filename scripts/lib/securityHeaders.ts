/**
 * What `npm start` sends beside the page: the headers of docs/hosting.md, no answer for other hosts' names,
 * and 404 for files that are not there.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';

/** The policy that index.html gives itself. */
function pagePolicy(): string {
  const html = readFileSync(new URL('../../index.html', import.meta.url), 'utf8');
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1];
  if (!policy) throw new Error('index.html has no Content-Security-Policy.');
  return policy;
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  // A page cannot say of itself who may frame it.
  'Content-Security-Policy': `${pagePolicy()}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=(), payment=(), display-capture=(), bluetooth=()',
};

/** Whether a Host header names this computer. A page of another name that resolves here could read ours. */
export function isLoopbackHost(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}

/** Answers for no other name than this computer's, and with the headers, whatever the answer is. */
export const guarded: Plugin = {
  name: 'guarded',
  configurePreviewServer(server) {
    server.middlewares.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
      if (isLoopbackHost(request.headers.host)) return next();
      response
        .writeHead(403, { 'content-type': 'text/plain' })
        .end('This server answers this computer only.\n');
    });
  },
};
