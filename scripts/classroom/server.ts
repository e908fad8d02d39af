/**
 * The teacher's server: the built page, the bundle, and what the class sends. It answers only for its own
 * names and addresses, gives files only from a list that is made at the start, and keeps everything within
 * limits.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { extname, join, relative, sep } from 'node:path';
import { CLASS_LIMITS } from '../../src/lib/classroom/protocol.ts';
import { SECURITY_HEADERS } from '../lib/securityHeaders.ts';
import { checkAdapterZip } from './adapterZip.ts';
import type { Certificate } from './certificate.ts';
import { fileBody, jsonBody, sendFile, sendJson, type ServedFile } from './http.ts';
import { Answers, Join, NewMatch, Progress, Prompts, Removal, Vote } from './messages.ts';
import { Refusal, type ClassSession } from './session.ts';

export interface ClassServerOptions {
  /** The built page. */
  site: string;
  bundle: string;
  session: ClassSession;
  /** Of the board. */
  secret: string;
  certificate: Certificate;
  /** Names and addresses that it answers for. */
  hosts: readonly string[];
  port: number;
  /** Where it listens; every interface where absent. */
  bind?: string;
  /** Where adapters are kept. */
  adapters: string;
  qrSvg: () => string;
}

export interface ClassServer {
  port: number;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
};

const ZIP = 'application/zip';

export async function startClassServer(options: ClassServerOptions): Promise<ClassServer> {
  const handler = new Handler(options, await filesUnder(options.site), await fileAt(options.bundle));
  const server = createServer(
    { key: options.certificate.key, cert: options.certificate.cert, requestTimeout: 120_000 },
    (request, response) => void handler.answer(request, response),
  );
  server.maxConnections = 1024;
  // A page that stores what it fetched is silent for longer than the five seconds that Node waits.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.bind, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Every file of the built page by the path that it is asked for with: nothing else can be asked for. */
async function filesUnder(folder: string): Promise<Map<string, ServedFile>> {
  const files = new Map<string, ServedFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.set(`/${relative(folder, path).split(sep).join('/')}`, await fileAt(path));
    }
  const page = files.get('/index.html');
  if (!page) throw new Error(`There is no index.html in ${folder}. Build the page first: npm run build.`);
  return files.set('/', page).set('/board', page);
}

async function fileAt(path: string): Promise<ServedFile> {
  const { size } = await stat(path);
  return { path, size, type: TYPES[extname(path)] ?? 'application/octet-stream' };
}

/** Wrong codes of one address that are answered in a minute. */
const MOST_WRONG = 20;

class Handler {
  private readonly wrong = new Map<string, { count: number; until: number }>();
  private readonly hosts: ReadonlySet<string>;

  constructor(
    private readonly options: ClassServerOptions,
    private readonly files: ReadonlyMap<string, ServedFile>,
    private readonly bundle: ServedFile,
  ) {
    this.hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      await this.route(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (!(error instanceof Refusal) && !isHangUp(error)) console.error(error);
      // What was not read of a body that is refused is not read at all.
      response.setHeader('connection', 'close');
      if (error instanceof Refusal) sendJson(response, error.status, { error: error.message });
      else sendJson(response, 500, { error: 'The server failed at this.' });
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const host = /^(.*?)(:\d+)?$/.exec(headers.host ?? '')?.[1]?.toLowerCase() ?? '';
    if (!this.hosts.has(host)) throw new Refusal(403, 'This server answers for its own addresses only.');
    const url = new URL(request.url ?? '/', 'https://class');
    const isRead = method === 'GET' || method === 'HEAD';
    if (url.pathname.startsWith('/class/')) return this.forStudent(request, response, url, isRead);
    if (url.pathname.startsWith('/board/')) return this.forBoard(request, response, url, isRead);
    if (!isRead) throw new Refusal(405, 'This can only be read.');
    if (url.pathname === '/' && !url.searchParams.has('class'))
      return void response.writeHead(302, { location: '/?class=' }).end();
    const file = this.files.get(url.pathname);
    if (!file) throw new Refusal(404, 'There is no such file.');
    await sendFile(request, response, file, { 'cache-control': 'no-cache' });
  }

  private async forStudent(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    isRead: boolean,
  ): Promise<void> {
    const { session } = this.options;
    const token = bearer(request);
    const done = () => sendJson(response, 200, {});
    switch (`${isRead ? 'GET' : request.method} ${url.pathname.slice('/class/'.length)}`) {
      case 'GET bundle.finetab':
        this.checkCode(request, url.searchParams.get('code') ?? '');
        return sendFile(request, response, this.bundle, { 'cache-control': 'no-store' });
      case 'POST join': {
        const { code, name } = await jsonBody(request, Join);
        this.checkCode(request, code);
        return sendJson(response, 200, session.join(name, token));
      }
      case 'GET news':
        return sendJson(response, 200, session.news(token));
      case 'POST progress':
        session.idOf(token);
        session.progress(token, await jsonBody(request, Progress));
        return done();
      case 'POST answers':
        session.idOf(token);
        session.answer(token, (await jsonBody(request, Answers)).answers);
        return done();
      case 'POST vote': {
        session.idOf(token);
        const { match, choice } = await jsonBody(request, Vote);
        session.vote(token, match, choice);
        return done();
      }
      case 'PUT adapter': {
        const bytes = await this.keepAdapter(request, `${session.idOf(token)}`);
        session.adapterKept(token, bytes);
        return done();
      }
      case 'GET blend':
        session.idOf(token);
        return this.sendZip(request, response, 'blend');
      case 'POST leave':
        session.leave(token);
        return done();
      default:
        throw new Refusal(404, 'There is no such thing in this class.');
    }
  }

  private async forBoard(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    isRead: boolean,
  ): Promise<void> {
    const { session, secret, qrSvg } = this.options;
    this.guarded(
      request,
      () => same(bearer(request), secret),
      'The board needs the secret that the terminal printed.',
    );
    const done = () => sendJson(response, 200, session.board());
    const path = url.pathname.slice('/board/'.length);
    const [, id] = /^adapter\/(\d{1,9})$/.exec(path) ?? [];
    if (isRead && id !== undefined) return this.sendZip(request, response, id);
    switch (`${isRead ? 'GET' : request.method} ${path}`) {
      case 'GET state':
        return done();
      case 'GET qr.svg':
        return void response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(qrSvg());
      case 'POST prompts':
        session.setPrompts((await jsonBody(request, Prompts)).prompts);
        return done();
      case 'POST match': {
        const { prompt, a, b } = await jsonBody(request, NewMatch);
        session.beginMatch(prompt, a, b);
        return done();
      }
      case 'POST close':
        session.closeMatch();
        return done();
      case 'POST remove': {
        const { id: student } = await jsonBody(request, Removal);
        if (session.remove(student)) await rm(this.zipPath(`${student}`), { force: true });
        return done();
      }
      case 'PUT blend':
        await this.keepAdapter(request, 'blend');
        session.blend++;
        return done();
      default:
        throw new Refusal(404, 'The board has no such thing.');
    }
  }

  private zipPath(name: string): string {
    return join(this.options.adapters, `${name}.zip`);
  }

  /** @throws Refusal where it is no adapter: what was kept before stays */
  private async keepAdapter(request: IncomingMessage, name: string): Promise<number> {
    const path = this.zipPath(name);
    return fileBody(request, path, CLASS_LIMITS.adapterBytes, checkAdapterZip);
  }

  private async sendZip(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const file = await fileAt(this.zipPath(name)).catch(() => null);
    if (!file) throw new Refusal(404, 'There is no such adapter.');
    return sendFile(request, response, { ...file, type: ZIP }, { 'cache-control': 'no-store' });
  }

  private checkCode(request: IncomingMessage, code: string): void {
    const isRight = () => same(code.trim().toUpperCase(), this.options.session.code);
    this.guarded(request, isRight, 'This is not the code of this class. It stands on the board.');
  }

  /** @throws Refusal where the check fails, and for a while where it failed too often from there */
  private guarded(request: IncomingMessage, isRight: () => boolean, message: string): void {
    const from = request.socket.remoteAddress ?? '';
    const before = this.wrong.get(from);
    const now = Date.now();
    const open = before && before.until > now ? before : { count: 0, until: now + 60_000 };
    if (open.count >= MOST_WRONG) throw new Refusal(429, 'Too many wrong codes from here. Wait a minute.');
    if (isRight()) return;
    // Addresses of one local network: a few hundred at the most.
    if (this.wrong.size > 4096) this.wrong.clear();
    this.wrong.set(from, { ...open, count: open.count + 1 });
    throw new Refusal(403, message);
  }
}

function bearer({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** Compares in a time that does not depend on where two texts differ. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/** Whether the other side went away, which is no fault of this one. */
function isHangUp(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes(code);
}
