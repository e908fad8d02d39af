/** A hub on loopback that answers what the Hub's API, tree and resolve addresses answer, for one model. */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { NamedFile } from '../../src/formats/checkpoint.ts';

export interface FakeHub {
  url: string;
  /** Addresses asked for, in order, with their range. */
  requests: string[];
  /** Authorization headers that came, with the path. */
  authorizations: string[];
  /** Answers of weight ranges before every further one is cut off; -1: never. */
  breakAfter: number;
  /** Answers a request in the hub's place where it returns true. */
  fault: (request: FakeRequest, response: ServerResponse) => boolean;
  /** What the hub holds, by path; a test may change it midway. */
  contents: Map<string, Buffer>;
  close(): Promise<void>;
}

export interface FakeRequest {
  path: string;
  range: string | undefined;
  /** Whether a range of weights is asked for. */
  weights: boolean;
  /** 1 for the first range of weights that was asked for, and so on. */
  count: number;
  /** What the range covers. */
  slice: Buffer;
  socket: { destroy(): void };
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
    authorizations: [],
    fault: () => false,
    contents,
    breakAfter: -1,
    close: () => new Promise((resolve) => void (server.closeAllConnections(), server.close(() => resolve()))),
  };
  const listed = new Map(
    [...contents].map(([path, bytes]) => [
      path,
      {
        type: 'file',
        path,
        size: bytes.length,
        oid: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
        ...(path.endsWith('.safetensors')
          ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }
          : {}),
      },
    ]),
  );
  let weightRanges = 0;
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
    if (authorization) hub.authorizations.push(`${pathname} ${authorization}`);
    const whole = contents.get(pathname.replace(`/${id}/resolve/${REVISION}/`, '')) ?? Buffer.of();
    const [, begin = 0, end = whole.length - 1] = (/^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []).map(Number);
    const weights = range !== undefined && pathname.endsWith('.safetensors');
    if (weights) weightRanges++;
    const slice = whole.subarray(begin, end + 1);
    const { socket } = request;
    if (hub.fault({ path: pathname, range, weights, count: weightRanges, slice, socket }, response)) return;
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
        cardData: { license: 'apache-2.0' },
      });
    if (pathname === `/api/models/${id}/tree/${REVISION}`) {
      return void json(response, 200, [
        ...listed.values(),
        { type: 'directory', path: 'original', size: 0, oid: '0' },
      ]);
    }
    if (whole.length === 0) return void json(response, 404, { error: 'Repository not found' });
    if (weights && hub.breakAfter >= 0 && hub.breakAfter-- === 0) {
      hub.breakAfter = 0;
      return void request.socket.destroy();
    }
    sendSlice(response, slice, range === undefined ? null : [begin, whole.length]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return hub;
}

/** @param place where the slice begins, and how long the file is; null: the whole file was asked for */
export function sendSlice(response: ServerResponse, slice: Buffer, place: [number, number] | null): void {
  response.writeHead(place ? 206 : 200, {
    'content-length': slice.length,
    etag: '"1"',
    ...(place ? { 'content-range': `bytes ${place[0]}-${place[0] + slice.length - 1}/${place[1]}` } : {}),
  });
  response.end(slice);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
