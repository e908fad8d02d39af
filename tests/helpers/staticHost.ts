/**
 * A static host as docs/hosting.md describes one: a folder under a path, with the headers that its nginx
 * configuration sets.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

export interface StaticHost {
  url: string;
  /** Paths that were asked for. */
  requests: string[];
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};

type Headers = Record<string, string>;

/** The add_header lines of the nginx example: of the server, and of `location ~ /assets/`. */
export function documentedHeaders(markdown: string): { page: Headers; assets: Headers } {
  const [, nginx] = /```nginx\n([\s\S]*?)```/.exec(markdown) ?? [];
  if (!nginx) throw new Error('the page on hosting has no nginx example');
  const [server, assets] = nginx.split(/location ~ \/assets\/ /);
  const headers = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/add_header (\S+) "([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );
  return { page: headers(server), assets: headers(assets) };
}

export async function staticHost(
  folder: string,
  path: string,
  { page, assets }: { page: Headers; assets: Headers },
): Promise<StaticHost> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://host');
    requests.push(pathname);
    const inside = pathname.startsWith(path) ? normalize(pathname.slice(path.length)) : '..';
    if (inside.startsWith('..')) return void response.writeHead(404).end();
    const file = inside === '' || inside === '.' ? 'index.html' : inside;
    readFile(join(folder, file)).then(
      (bytes) =>
        response
          .writeHead(200, {
            'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
            ...(file.startsWith('assets/') ? assets : page),
          })
          .end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}${path}`,
    requests,
    close: () => new Promise((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
