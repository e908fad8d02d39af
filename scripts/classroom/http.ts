/** Bodies within limits, answers, and files by ranges. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { CLASS_LIMITS } from '../../src/lib/classroom/protocol.ts';
import { Refusal } from './session.ts';

/** @throws Refusal where the body is too long, no JSON, or not as the schema says */
export async function jsonBody<S extends v.GenericSchema>(
  request: IncomingMessage,
  schema: S,
): Promise<v.InferOutput<S>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    if (bytes > CLASS_LIMITS.jsonBytes) throw new Refusal(413, 'This is too long.');
    pieces.push(piece);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    throw new Refusal(400, 'This is no JSON.');
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Refusal(400, `${v.getDotPath(issue) ?? 'the message'}: ${issue.message}`.slice(0, 300));
}

/**
 * Writes a body into a file.
 * @param check of the file before it takes the place of an earlier one
 * @returns its bytes
 * @throws Refusal where it is longer than `most`, and what `check` throws
 */
export async function fileBody(
  request: IncomingMessage,
  path: string,
  most: number,
  check: (path: string) => Promise<void>,
): Promise<number> {
  const tooLong = new Refusal(413, `This is longer than ${Math.floor(most / 2 ** 20)} MiB.`);
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong;
  // Two of one student may come at once.
  const part = `${path}.${randomUUID()}.part`;
  let bytes = 0;
  const bounded = new Transform({
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.byteLength;
      done(bytes > most ? tooLong : null, piece);
    },
  });
  try {
    await pipeline(request, bounded, createWriteStream(part, { mode: 0o600 }));
    await check(part);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await rename(part, path);
  return bytes;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(value));
}

export interface ServedFile {
  path: string;
  size: number;
  type: string;
}

/** A file, or the one range of it that is asked for; it is never whole in memory. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, size, type }: ServedFile,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const common = { 'content-type': type, 'accept-ranges': 'bytes', ...headers };
  const range = rangeOf(request.headers.range, size);
  if (range === 'outside') return void response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
  const [start, end] = range ?? [0, size - 1];
  response.writeHead(range ? 206 : 200, {
    ...common,
    'content-length': size === 0 ? 0 : end - start + 1,
    ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === 'HEAD' || size === 0) return void response.end();
  await pipeline(createReadStream(path, { start, end }), response);
}

/** First and last byte; null: the whole file, as for several ranges. */
function rangeOf(header: string | undefined, size: number): [number, number] | 'outside' | null {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return null;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? 'outside' : [start, end];
}
