/** A hub on loopback that answers what the Hub's API, tree and resolve addresses answer, for one model. */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { NamedFile } from '../../src/formats/checkpoint.ts';

export interface FakeHub {
  url: string;
  /** Addresses asked for, in order, with their range. */
  requests: string[];
  /** Answers of weight ranges before every further one is cut off; -1: never. */
  breakAfter: number;
  close(): Promise<void>;
}

const REVISION = 'f'.repeat(40);

/** @param token where given, requests without it are refused as the Hub refuses gated models */
export async function fakeHub(id: string, files: readonly NamedFile[], token?: string): Promise<FakeHub> {
  const contents = new Map(
    await Promise.all(
      files.map(async ({ path, blob }) => [path, Buffer.from(await blob.arrayBuffer())] as const),
    ),
  );
  const hub: FakeHub = {
    url: '',
    requests: [],
    breakAfter: -1,
    close: () => new Promise((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  };
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    response.setHeader('access-control-expose-headers', '*');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    const { pathname } = new URL(request.url!, 'http://hub');
    const { range, authorization } = request.headers;
    hub.requests.push(range ? `${pathname} ${range}` : pathname);
    if (token && authorization !== `Bearer ${token}`)
      return void json(response, 401, { error: 'Access to this model is restricted.' });
    if (pathname.startsWith(`/api/models/${id}/revision/`))
      return void json(response, 200, {
        _id: '1',
        id,
        modelId: id,
        sha: REVISION,
        private: false,
        downloads: 0,
        gated: false,
        likes: 0,
        lastModified: '2026-01-01T00:00:00.000Z',
      });
    if (pathname === `/api/models/${id}/tree/${REVISION}`) {
      const tree = [...contents].map(([path, bytes]) => ({
        type: 'file',
        path,
        size: bytes.length,
        oid: '0',
        ...(path.endsWith('.safetensors')
          ? {
              lfs: {
                oid: createHash('sha256').update(bytes).digest('hex'),
                size: bytes.length,
                pointerSize: 130,
              },
            }
          : {}),
      }));
      return void json(response, 200, [...tree, { type: 'directory', path: 'original', size: 0, oid: '0' }]);
    }
    const bytes = contents.get(pathname.replace(`/${id}/resolve/${REVISION}/`, ''));
    if (!bytes) return void json(response, 404, { error: 'Repository not found' });
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const isProbe = range === 'bytes=0-0';
    if (
      first !== undefined &&
      !isProbe &&
      pathname.endsWith('.safetensors') &&
      hub.breakAfter >= 0 &&
      hub.breakAfter-- === 0
    ) {
      hub.breakAfter = 0;
      return void request.socket.destroy();
    }
    const slice = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
    response.writeHead(first === undefined ? 200 : 206, {
      'content-length': slice.length,
      etag: '"1"',
      ...(first === undefined
        ? {}
        : { 'content-range': `bytes ${first}-${Number(first) + slice.length - 1}/${bytes.length}` }),
    });
    response.end(slice);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return hub;
}
