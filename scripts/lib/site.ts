/** The built page: built when a source is newer than it, served on loopback. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guarded } from './securityHeaders.ts';
import { isFresh } from './sourceTimes.ts';
import { build, preview, type InlineConfig } from 'vite';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds `dist/` unless it is newer than everything that it is made from. */
export async function buildSite(): Promise<void> {
  const made = join(root, 'dist', 'index.html');
  if (existsSync(made) && isFresh(made)) return;
  await buildForProduction({});
}

/**
 * Builds as `npm run build` does, whatever NODE_ENV the command that asks was started with: libraries read it
 * to choose their slow, talkative form.
 */
export async function buildForProduction(config: InlineConfig): Promise<void> {
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'error', ...config });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

export interface Site {
  url: string;
  close(): Promise<void>;
}

/** Serves `dist/`. @param port 0: any free one */
export async function serveSite(port = 0): Promise<Site> {
  const server = await preview({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'error',
    // Not a single-page application: a file that is not there is not index.html.
    appType: 'mpa',
    plugins: [guarded],
    preview: { port, host: '127.0.0.1' },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('The page could not be served.');
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}
