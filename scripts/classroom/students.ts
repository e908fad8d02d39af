/**
 * Students without a browser: they fetch the bundle by ranges, check every part, and say what a page would
 * say.
 */
import { request as httpsRequest, Agent } from 'node:https';
import { Bundle, readAhead, type ByteSource } from '../../src/formats/bundle/readBundle.ts';
import type { Joined } from '../../src/lib/classroom/protocol.ts';

export interface Reply {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

export interface Sent {
  method?: string;
  token?: string;
  json?: unknown;
  body?: Uint8Array;
  headers?: Record<string, string>;
}

/** Requests to a class on this computer that trust exactly its certificate. */
export class ClassClient {
  private readonly agent: Agent;

  constructor(
    private readonly port: number,
    certificate: string,
    connections = 4,
  ) {
    this.agent = new Agent({ ca: certificate, keepAlive: true, maxSockets: connections });
  }

  send(path: string, { method = 'GET', token, json, body, headers = {} }: Sent = {}): Promise<Reply> {
    const contents = json === undefined ? body : Buffer.from(JSON.stringify(json));
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          servername: 'localhost',
          port: this.port,
          path,
          method,
          agent: this.agent,
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(contents && { 'content-length': contents.byteLength }),
            ...headers,
          },
        },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              body: Buffer.concat(pieces),
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(contents);
    });
  }

  async join(code: string, name: string): Promise<Joined> {
    const reply = await this.send('/class/join', { method: 'POST', json: { code, name } });
    if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.body.toString()}`);
    return JSON.parse(reply.body.toString()) as Joined;
  }

  /** Fetches the whole bundle and checks every part. @returns bytes of the parts */
  async fetchBundle(code: string, window = 2 ** 23): Promise<number> {
    const path = `/class/bundle.finetab?code=${code}`;
    const ask = (begin: number, end: number) =>
      this.send(path, { headers: { range: `bytes=${begin}-${end - 1}` } });
    const first = await ask(0, 1);
    if (first.status !== 206) throw new Error(`${first.status}: ${first.body.toString()}`);
    const source: ByteSource = {
      name: 'class.finetab',
      size: Number(/\/(\d+)$/.exec(`${first.headers['content-range']}`)![1]),
      read: async (begin, end) => new Uint8Array((await ask(begin, end)).body),
    };
    const bundle = await Bundle.open(readAhead(source, window));
    for (const { path: part } of bundle.manifest.parts) await bundle.read(part);
    return bundle.bytes;
  }

  close(): void {
    this.agent.destroy();
  }
}
