/**
 * The teacher's server on loopback, as thirty students and some who mean no good meet it: over HTTPS, with
 * the certificate that it made.
 */
import { once } from 'node:events';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFor, type Certificate } from '../../scripts/classroom/certificate.ts';
import { startClassServer, type ClassServer } from '../../scripts/classroom/server.ts';
import { ClassSession } from '../../scripts/classroom/session.ts';
import { ClassClient } from '../../scripts/classroom/students.ts';
import { makeBundle } from '../../scripts/lib/makeBundle.ts';
import { writePeftFolder } from '../../src/formats/peft.ts';
import { zipFolder } from '../../src/formats/zip.ts';
import type { BoardState, StudentNews } from '../../src/lib/classroom/protocol.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

const CODE = 'ABC234';
const SECRET = 'the-secret-of-the-board';
const PROGRESS = { state: 'training', step: 3, totalSteps: 30, loss: 1.25, evaluations: { pirate: 2.5 } };

let clock = Date.now();
let folder: string;
let certificate: Certificate;
let server: ClassServer;
let client: ClassClient;

async function bundleFile(): Promise<string> {
  const model = await mkdtemp(join(folder, 'model-'));
  for (const { path, blob } of tinyModelFiles())
    await writeFile(join(model, path), new Uint8Array(await blob.arrayBuffer()));
  await writeFile(join(folder, 'train.jsonl'), '{"query":"a","response":"b"}\n'.repeat(20));
  await writeFile(join(folder, 'recipe.json'), JSON.stringify({ model: 'tiny', train_file: 'train.jsonl' }));
  const out = join(folder, 'class.finetab');
  await makeBundle({ model, recipe: join(folder, 'recipe.json'), out });
  return out;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetab-class-test-'));
  certificate = await certificateFor(folder, ['localhost', '127.0.0.1']);
  const site = await mkdtemp(join(folder, 'site-'));
  await writeFile(join(site, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(site, 'page.js'), 'export {}');
  server = await startClassServer({
    site,
    bundle: await bundleFile(),
    session: new ClassSession('Class 9b', 'https://10.0.0.1:4791/', CODE, () => clock),
    secret: SECRET,
    certificate,
    hosts: ['localhost', '127.0.0.1'],
    port: 0,
    bind: '127.0.0.1',
    adapters: folder,
    qrSvg: () => '<svg xmlns="http://www.w3.org/2000/svg"/>',
  });
  client = new ClassClient(server.port, certificate.cert, 30);
});
afterAll(async () => {
  client.close();
  await server.close();
});

const post = (path: string, token: string, json: unknown, method = 'POST') =>
  client.send(path, { method, token, json });
const board = async (): Promise<BoardState> =>
  JSON.parse((await client.send('/board/state', { token: SECRET })).body.toString()) as BoardState;
const news = async (token: string): Promise<StudentNews> =>
  JSON.parse((await client.send('/class/news', { token })).body.toString()) as StudentNews;
const onBoard = async (name: string) => (await board()).students.find((student) => student.name === name)!;

/** An adapter of one module, as a page sends it. */
function adapterZip(r = 2): Uint8Array {
  const tensor = (shape: number[]) => ({ shape, data: new Float32Array(shape[0] * shape[1]).fill(0.5) });
  const name = 'base_model.model.model.layers.0.mlp.up_proj';
  const tensors = new Map([
    [`${name}.lora_A.weight`, tensor([r, 24])],
    [`${name}.lora_B.weight`, tensor([40, r])],
  ]);
  const settings = { lora_alpha: 4, lora_dropout: 0, use_rslora: false, use_dora: false };
  return zipFolder(writePeftFolder(tensors, { ...settings, r, base_model_name_or_path: null }));
}

/** A request as it stands, whatever a client would make of it. */
async function raw(head: string): Promise<string> {
  const socket = connect({
    port: server.port,
    host: '127.0.0.1',
    ca: certificate.cert,
    servername: 'localhost',
  });
  await once(socket, 'secureConnect');
  socket.write(`${head}\r\nConnection: close\r\n\r\n`);
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await once(socket, 'close');
  return Buffer.concat(pieces).toString();
}

describe('the certificate', () => {
  it('is kept for the next lesson, and made again for other addresses', async () => {
    expect(await certificateFor(folder, ['localhost'])).toEqual(certificate);
    const other = await mkdtemp(join(folder, 'other-'));
    const first = await certificateFor(other, ['localhost', '192.168.0.7']);
    expect((await certificateFor(other, ['192.168.0.7'])).fingerprint).toBe(first.fingerprint);
    expect((await certificateFor(other, ['192.168.0.8'])).fingerprint).not.toBe(first.fingerprint);
  });
});

describe('the server of a class', () => {
  it('gives the page with its policy, by HTTPS, to its own names alone', async () => {
    const page = await client.send('/board');
    expect([page.status, page.body.toString()]).toEqual([200, '<!doctype html><title>page</title>']);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect((await client.send('/?class=X')).status).toBe(200);
    expect((await client.send('/')).headers.location).toBe('/?class=');
    expect(await raw('GET / HTTP/1.1\r\nHost: evil.example')).toMatch(/^HTTP\/1.1 403/);
    expect((await client.send('/page.js', { method: 'DELETE' })).status).toBe(405);
  });

  it.each([
    '/../package.json',
    '/%2e%2e/recipe.json',
    '/..%2frecipe.json',
    '/class/../../recipe.json',
    '//etc/passwd',
    '/board/adapter/../recipe',
    '/page.js%00',
  ])('gives nothing beside it: %s', async (path) => {
    expect(await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${SECRET}`)).toMatch(
      /^HTTP\/1.1 (404|400)/,
    );
  });

  it('gives the bundle by ranges, for the code', async () => {
    const ask = (range: string, code = CODE) =>
      client.send(`/class/bundle.finetab?code=${code}`, { headers: { range } });
    const part = await ask('bytes=30-43');
    expect([part.status, part.body.toString()]).toEqual([206, 'finetab-bundle']);
    expect((await ask('bytes=999999999-')).status).toBe(416);
    const whole = await client.send(`/class/bundle.finetab?code=${CODE}`);
    expect(whole.headers['content-length']).toBe(`${whole.body.byteLength}`);
    expect((await ask('bytes=-4')).body).toEqual(whole.body.subarray(-4));
    expect((await ask('bytes=0-9', 'WRONG')).status).toBe(403);
  });

  it('brings thirty students the whole bundle, every part verified', async () => {
    const students = Array.from({ length: 30 }, (_, i) => `Student ${i + 1}`);
    const joined = await Promise.all(
      students.map(async (name) => {
        const bytes = await client.fetchBundle(CODE, 2 ** 16);
        return { ...(await client.join(CODE, name)), bytes };
      }),
    );
    expect(new Set(joined.map(({ bytes }) => bytes)).size).toBe(1);
    expect((await board()).students.map(({ name }) => name).sort()).toEqual(students.toSorted());
    const { students: before } = await board();
    for (const { id } of before) await post('/board/remove', SECRET, { id });
    expect((await board()).students).toEqual([]);
    expect((await post('/class/progress', joined[0].token, PROGRESS)).status).toBe(401);
  });

  it('shows what a student sends, and that one left or is away', async () => {
    const { token } = await client.join(CODE, 'Ada');
    expect((await post('/class/progress', token, PROGRESS)).status).toBe(200);
    expect(await onBoard('Ada')).toMatchObject({ ...PROGRESS, adapterBytes: null });
    clock += 30_000;
    expect((await onBoard('Ada')).state).toBe('away');
    await news(token);
    expect((await onBoard('Ada')).state).toBe('training');
    await post('/class/leave', token, {});
    expect((await onBoard('Ada')).state).toBe('left');
  });

  it('refuses a second of one name, but not the same page once more', async () => {
    const { token } = await client.join(CODE, 'Grace');
    const again = await client.send('/class/join', { method: 'POST', json: { code: CODE, name: ' grace ' } });
    expect([again.status, again.body.toString()]).toEqual([
      409,
      expect.stringContaining('The name Grace is taken'),
    ]);
    const same = await post('/class/join', token, { code: CODE, name: 'Grace' });
    expect(JSON.parse(same.body.toString())).toEqual({ token, name: 'Grace' });
  });

  it('refuses rubbish, and keeps what was sent before', async () => {
    const { token } = await client.join(CODE, 'Mallory');
    await post('/class/progress', token, PROGRESS);
    const rubbish: [string, unknown, number][] = [
      ['progress', { ...PROGRESS, loss: 'low' }, 400],
      ['progress', { ...PROGRESS, more: 1 }, 400],
      ['progress', { ...PROGRESS, step: -1 }, 400],
      ['progress', { ...PROGRESS, evaluations: { 'a\u202eb': 1 } }, 400],
      [
        'progress',
        { ...PROGRESS, evaluations: Object.fromEntries(Array.from({ length: 99 }, (_, i) => [i, 1])) },
        400,
      ],
      ['answers', { answers: [{ prompt: 1, text: 'x'.repeat(5000) }] }, 400],
      ['answers', { answers: [{ prompt: 1, text: 'x'.repeat(70_000) }] }, 413],
      ['vote', { match: 1, choice: 'me' }, 400],
      ['vote', { match: 999, choice: 'a' }, 409],
      ['nothing', {}, 404],
    ];
    for (const [path, json, status] of rubbish)
      expect((await post(`/class/${path}`, token, json)).status, JSON.stringify(json).slice(0, 60)).toBe(
        status,
      );
    const notJson = await client.send('/class/progress', { method: 'POST', token, body: Buffer.from('{"a') });
    expect(notJson.status).toBe(400);
    for (const name of ['', '   ', 'x'.repeat(41), 'a\u0007b', '\u202eevil'])
      expect((await client.send('/class/join', { method: 'POST', json: { code: CODE, name } })).status).toBe(
        400,
      );
    expect((await post('/class/progress', 'no-token', PROGRESS)).status).toBe(401);
    expect(await onBoard('Mallory')).toMatchObject({ step: 3, loss: 1.25, answers: [] });
  });

  it('gathers adapters, and refuses what is none', async () => {
    const { token } = await client.join(CODE, 'Eve');
    const put = (body: Uint8Array) => client.send('/class/adapter', { method: 'PUT', token, body });
    const good = adapterZip();
    expect((await put(good)).status).toBe(200);
    const { id, adapterBytes } = await onBoard('Eve');
    expect(adapterBytes).toBe(good.byteLength);
    for (const body of [Buffer.from('rubbish'), zipFolder(new Map([['a.txt', new Uint8Array(9)]]))]) {
      const reply = await put(body);
      expect([reply.status, reply.body.toString()]).toEqual([400, expect.stringContaining('is no adapter')]);
    }
    const huge = await client
      .send('/class/adapter', {
        method: 'PUT',
        token,
        headers: { 'content-length': `${2 ** 30}` },
      })
      .catch((error: NodeJS.ErrnoException) => error.code);
    expect(typeof huge === 'object' ? huge.status : huge).toBe(413);
    const kept = await client.send(`/board/adapter/${id}`, { token: SECRET });
    expect(Buffer.compare(kept.body, good)).toBe(0);
    expect((await client.send(`/board/adapter/${id}`, { token })).status).toBe(403);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect((await client.send('/class/blend', { token })).status).toBe(404);
    const blend = { method: 'PUT', token: SECRET, body: good };
    expect((await client.send('/board/blend', blend)).status).toBe(200);
    expect((await news(token)).blend).toBe(1);
    expect(Buffer.compare((await client.send('/class/blend', { token })).body, good)).toBe(0);
  });

  it('lets two answers meet without names, one vote each, and counts', async () => {
    const people = await Promise.all(['Kim', 'Lee', 'Max'].map((name) => client.join(CODE, name)));
    await post('/board/prompts', SECRET, { prompts: ['Who are you?', 'Say hello.'] });
    const [{ id: prompt }] = (await news(people[0].token)).prompts;
    await post('/class/answers', people[0].token, { answers: [{ prompt, text: 'a pirate' }] });
    const ids = await Promise.all(['Kim', 'Lee'].map(async (name) => (await onBoard(name)).id));
    expect((await post('/board/match', SECRET, { prompt, a: ids[0], b: ids[1] })).status).toBe(409);
    await post('/class/answers', people[1].token, { answers: [{ prompt, text: 'a model' }] });
    expect((await post('/board/match', SECRET, { prompt, a: ids[0], b: ids[1] })).status).toBe(200);
    const { match } = await news(people[2].token);
    expect([match!.a, match!.b].sort()).toEqual(['a model', 'a pirate']);
    expect(JSON.stringify([match, (await board()).match])).not.toMatch(/Kim|Lee/);
    const pirate = match!.a === 'a pirate' ? 'a' : 'b';
    const vote = (i: number, choice: string) =>
      post('/class/vote', people[i].token, { match: match!.id, choice });
    expect((await vote(2, pirate)).status).toBe(200);
    expect((await vote(2, pirate)).status).toBe(409);
    expect((await vote(0, pirate)).status).toBe(200);
    expect((await vote(1, 'tie')).status).toBe(200);
    await post('/board/close', SECRET, {});
    expect((await vote(1, 'tie')).status).toBe(409);
    const { match: closed, wins } = await board();
    expect(closed!.tally).toEqual({ a: 0, b: 0, tie: 1, [pirate]: 2 });
    expect(closed!.names![pirate]).toBe('Kim');
    expect(wins).toEqual([
      { name: 'Kim', wins: 1, losses: 0, ties: 0 },
      { name: 'Lee', wins: 0, losses: 1, ties: 0 },
    ]);
    // A prompt that is taken away takes its answers along; the other keeps its own.
    await post('/board/prompts', SECRET, { prompts: ['Say hello.'] });
    expect((await onBoard('Kim')).answers).toEqual([]);
  });

  it('closes to an address that guesses', async () => {
    let last = 0;
    for (let i = 0; i < 21; i++) last = (await client.send('/board/state', { token: `guess-${i}` })).status;
    expect(last).toBe(429);
    expect((await client.send('/board/state', { token: SECRET })).status).toBe(429);
  });
});
