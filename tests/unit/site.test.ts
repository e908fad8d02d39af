/** The server of `npm start`: whom it answers, with which headers, and what it has not. */
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopbackHost, SECURITY_HEADERS } from '../../scripts/lib/securityHeaders.ts';
import { serveSite, type Site } from '../../scripts/lib/site.ts';

describe('npm start', () => {
  let site: Site;
  beforeAll(async () => void (site = await serveSite()));
  afterAll(() => site.close());

  const ask = (path: string, host?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(new URL(path, site.url), { headers: host ? { host } : {} }, (response) => {
        response.resume();
        resolve(response);
      }).on('error', reject);
    });

  it('answers the names of this computer alone', async () => {
    for (const host of ['localhost:1', '127.0.0.1', '127.8.9.1:80', '[::1]:4790'])
      expect(isLoopbackHost(host)).toBe(true);
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '192.168.1.2',
      '127.0.0.1.evil.example',
      undefined,
    ])
      expect(isLoopbackHost(host)).toBe(false);
    expect((await ask('/', 'evil.example')).statusCode).toBe(403);
  });

  it('has 404 for a file that is not there, not the page', async () => {
    expect((await ask('/assets/missing.worker-12345678.js')).statusCode).toBe(404);
    expect((await ask('/nothing')).statusCode).toBe(404);
  });

  it('sends the security headers', async () => {
    const { headers } = await ask('/assets/missing.js');
    for (const name of ['content-security-policy', 'x-content-type-options', 'permissions-policy'])
      expect(headers[name], name).toBeDefined();
    expect(SECURITY_HEADERS['Content-Security-Policy']).not.toMatch(/'unsafe-eval'|https:[ ;]|ws:/);
  });
});
