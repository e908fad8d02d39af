/**
 * `npm run classroom:simulate -- class.finetab [--students 30]`: a class on this computer. Each student
 * fetches the whole bundle by ranges and checks every part; then all report a run, answer a prompt and send
 * an adapter, one leaves, one sends rubbish and one comes under a name that is taken. Prints time, bytes
 * and the server's memory as JSON.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { writePeftFolder } from '../../src/formats/peft.ts';
import { zipFolder } from '../../src/formats/zip.ts';
import type { BoardState, StudentNews } from '../../src/lib/classroom/protocol.ts';
import { root } from '../lib/site.ts';
import { ClassClient } from './students.ts';

const STEPS = 30;

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { students: { type: 'string', default: '30' } },
  });
  const [bundle] = positionals;
  if (!bundle) {
    console.error('usage: npm run classroom:simulate -- class.finetab [--students 30]');
    return 2;
  }
  const server = spawn(
    process.execPath,
    ['scripts/run.mjs', 'scripts/classroom.ts', bundle, '--loopback', '--port', '0'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    console.log(JSON.stringify(await simulate(server, Number(values.students)), null, 2));
  } finally {
    server.kill('SIGTERM');
  }
  return 0;
}

async function simulate(server: ChildProcess, count: number) {
  const { port, code, secret } = await started(server);
  const pem = await readFile(join(homedir(), '.finetab', 'classroom.pem'), 'utf8');
  const certificate = pem.slice(pem.indexOf('-----BEGIN CERTIFICATE'));
  const memory = watchMemory(server.pid!);
  const clients = Array.from({ length: count }, () => new ClassClient(port, certificate));
  const teacher = new ClassClient(port, certificate);
  const fetched = performance.now();
  const students = await Promise.all(
    clients.map(async (client, i) => {
      const began = performance.now();
      const bytes = await client.fetchBundle(code);
      return {
        client,
        bytes,
        ms: performance.now() - began,
        ...(await client.join(code, `Student ${i + 1}`)),
      };
    }),
  );
  const fetchMs = performance.now() - fetched;
  const post = (client: ClassClient, path: string, token: string, json: unknown) =>
    client.send(path, { method: 'POST', token, json }).then(({ status }) => status);
  await post(teacher, '/board/prompts', secret, { prompts: ['Who are you?'] });
  const refused: Record<string, number> = {};
  refused.secondOfOneName = await clients[0]
    .send('/class/join', { method: 'POST', json: { code, name: 'Student 1' } })
    .then(({ status }) => status);
  refused.rubbish = await post(clients[1], '/class/progress', students[1].token, {
    state: 'training',
    loss: 'x',
  });
  const classMs = performance.now();
  const adapter = adapterZip();
  let requests = 0;
  await Promise.all(
    students.map(async ({ client, token }) => {
      const ok = async (status: Promise<number>) => {
        requests++;
        if ((await status) !== 200) throw new Error(`a student was refused: ${await status}`);
      };
      for (let step = 1; step <= STEPS; step++) {
        const done = step === STEPS;
        const evaluations = { pirate: 3 / step };
        const progress = {
          state: done ? 'done' : 'training',
          step,
          totalSteps: STEPS,
          loss: 4 / step,
          evaluations,
        };
        await ok(post(client, '/class/progress', token, progress));
      }
      const news = JSON.parse((await client.send('/class/news', { token })).body.toString()) as StudentNews;
      const answers = news.prompts.map(({ id }) => ({ prompt: id, text: 'Arr, I be a model.' }));
      await ok(post(client, '/class/answers', token, { answers }));
      const put = client.send('/class/adapter', { method: 'PUT', token, body: adapter });
      await ok(put.then(({ status }) => status));
    }),
  );
  const reportedMs = performance.now() - classMs;
  await post(clients[2], '/class/leave', students[2].token, {});
  const reply = await teacher.send('/board/state', { token: secret });
  const board = JSON.parse(reply.body.toString()) as BoardState;
  for (const client of [...clients, teacher]) client.close();
  const { baseMiB, peakMiB } = memory.stop();
  const slowest = Math.max(...students.map(({ ms }) => ms));
  return {
    students: board.students.length,
    bytesEach: students[0].bytes,
    allVerified: new Set(students.map(({ bytes }) => bytes)).size === 1,
    fetchSeconds: round(fetchMs / 1000),
    slowestStudentSeconds: round(slowest / 1000),
    mebibytesPerSecond: round((students[0].bytes * count) / 2 ** 20 / (fetchMs / 1000)),
    reportsAndAdapters: { requests, seconds: round(reportedMs / 1000), adapterBytes: adapter.byteLength },
    board: {
      done: board.students.filter(({ state }) => state === 'done').length,
      left: board.students.filter(({ state }) => state === 'left').length,
      answers: board.students.reduce((sum, { answers }) => sum + answers.length, 0),
      adapters: board.students.filter(({ adapterBytes }) => adapterBytes !== null).length,
      bytes: reply.body.byteLength,
    },
    refused,
    serverMiB: { before: baseMiB, peak: peakMiB },
  };
}

/** What the command prints once it serves. */
async function started(server: ChildProcess): Promise<{ port: number; code: string; secret: string }> {
  let code = '';
  for await (const line of createInterface({ input: server.stdout! })) {
    const [, port, secret] = /^Board +https:\/\/localhost:(\d+)\/board#(\S+)/.exec(line) ?? [];
    code = /^Code +(\S+)/.exec(line)?.[1] ?? code;
    if (port) return { port: Number(port), code, secret };
  }
  throw new Error('The classroom ended before it served.');
}

/** Of a process on Linux; zero elsewhere. */
function watchMemory(pid: number): { stop(): { baseMiB: number; peakMiB: number } } {
  const seen: number[] = [];
  const look = async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    seen.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  };
  void look();
  const timer = setInterval(() => void look(), 100);
  return {
    stop() {
      clearInterval(timer);
      return { baseMiB: round(seen[0] ?? 0), peakMiB: round(Math.max(0, ...seen)) };
    },
  };
}

/** An adapter of about a mebibyte. */
function adapterZip(): Uint8Array {
  const tensors = new Map(
    Array.from({ length: 8 }, (_, layer) => layer).flatMap((layer) => {
      const name = `base_model.model.model.layers.${layer}.mlp.up_proj`;
      const of = (shape: [number, number]) => ({
        shape,
        data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i + layer)),
      });
      return [
        [`${name}.lora_A.weight`, of([16, 576])] as const,
        [`${name}.lora_B.weight`, of([1536, 16])] as const,
      ];
    }),
  );
  const plain = { r: 16, lora_alpha: 32, lora_dropout: 0, use_rslora: false, use_dora: false };
  return zipFolder(writePeftFolder(tensors, { ...plain, base_model_name_or_path: null }));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
