/**
 * A run in progress as one file, with which another computer goes on: a zip of run.json (the run's record
 * and what
 * its checkpoint has beside numbers), checkpoint.safetensors (adapter, AdamW's moments, the best adapter),
 * evaluations.json, and checksums.json with the SHA-256 of each.
 */
import * as v from 'valibot';
import type { AdapterTensors } from '../engine/engine.ts';
import {
  readSafetensorsHeader,
  toFloat32,
  writeSafetensors,
  type TensorToWrite,
} from '../formats/safetensors.ts';
import { unzipNamed, zipFolder } from '../formats/zip.ts';
import { UserError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { newRun, type RunRecord, type StoredEvaluation } from '../storage/database.ts';
import { parseRecipe } from '../training/recipe.ts';
import type { SampledBatch } from '../training/reward/sampledAnswers.ts';
import { linesOf } from '../training/kept/metricsLog.ts';
import type { MetricsLine } from '../training/metrics.ts';
import type { Checkpoint } from '../training/runRecord.ts';

/** What another computer needs beside the model and the data files, which it has to be given. */
export interface RunFile {
  run: RunRecord;
  checkpoint: Checkpoint;
  evaluations: StoredEvaluation[];
}

const FORMAT = 'finetab run';
const VERSION = 1;
const [RUN, TENSORS, EVALUATIONS, CHECKSUMS] = [
  'run.json',
  'checkpoint.safetensors',
  'evaluations.json',
  'checksums.json',
];
const NAMES = [RUN, TENSORS, EVALUATIONS, CHECKSUMS];
const AGAIN = 'Export the run again where it was made, and take that file.';
/** A zip of a few kilobytes must not unpack to the whole memory. */
const MOST_BYTES = 4 * 2 ** 30;

/** Under which names the tensors of a checkpoint lie in the file. */
const GROUPS = ['adapter', 'exp_avg', 'exp_avg_sq', 'best'] as const;

export async function writeRunFile({ run, checkpoint, evaluations }: RunFile): Promise<Uint8Array> {
  const { adapter, optimizer, best, lines, ...rest } = checkpoint;
  const groups: Record<(typeof GROUPS)[number], AdapterTensors> = {
    adapter,
    exp_avg: optimizer.expAvg,
    exp_avg_sq: optimizer.expAvgSq,
    best: best?.adapter ?? (new Map() as AdapterTensors),
  };
  const tensors = new Map<string, TensorToWrite>();
  for (const group of GROUPS)
    for (const [name, { shape, data }] of groups[group])
      tensors.set(`${group}/${name}`, { dtype: 'F32', shape, data });
  const description = {
    format: FORMAT,
    version: VERSION,
    run,
    checkpoint: {
      ...rest,
      lines: linesOf(lines),
      steps: optimizer.steps,
      best: best && { ...best, adapter: null },
    },
  };
  const encode = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const files = new Map([
    [RUN, encode(description)],
    [TENSORS, writeSafetensors(tensors)],
    [EVALUATIONS, encode(evaluations)],
  ]);
  const sums: Record<string, string> = {};
  for (const [name, bytes] of files) sums[name] = await sha256Hex(bytes);
  return zipFolder(files.set(CHECKSUMS, encode(sums)));
}

const step = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.string();
const size = v.pipe(v.number(), v.minValue(0));
/** JSON has no NaN and no Infinity: they were written as null, and are left out. */
const numbers = v.pipe(
  v.record(text, v.nullable(v.number())),
  v.transform(
    (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as Figures,
  ),
);
type Figures = Record<string, number>;
const has = (...keys: string[]) => v.check((record: Figures) => keys.every((key) => key in record));
const Lines = v.array(v.pipe(numbers, has('step', 'epoch')));
const Run = v.object({
  id: v.pipe(text, v.regex(/^[\w:.-]{1,64}$/)),
  startedAt: v.pipe(text, v.isoTimestamp()),
  name: text,
  notes: text,
  tags: v.optional(v.array(text)),
  modelId: text,
  modelName: text,
  trainFile: text,
  trainHashes: v.optional(v.array(text)),
  weightsSha256: v.optional(text),
  recipe: v.record(text, v.unknown()),
  device: text,
  startedFrom: v.nullable(text),
  tokensPerMicroBatch: step,
  totalSteps: step,
  seconds: size,
  adapterBytes: size,
  losses: v.record(text, v.object({ start: v.number(), best: v.number(), end: v.number() })),
  kernels: v.optional(v.unknown()),
  headInQ8_0: v.optional(v.boolean()),
});
const Sampled = v.object({
  number: step,
  rows: v.array(step),
  ids: v.array(v.array(step)),
  advantages: v.array(v.number()),
  old: v.nullable(v.array(v.array(v.number()))),
  figures: numbers,
} satisfies Record<keyof SampledBatch, unknown>);
const Description = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  run: Run,
  // Strict: what is left out here would be learned otherwise.
  checkpoint: v.strictObject({
    recipe: v.record(text, v.unknown()),
    step,
    steps: step,
    inputTokens: size,
    lines: Lines,
    seconds: v.optional(size),
    sampled: v.optional(Sampled),
    best: v.nullable(
      v.object({ metric: text, value: v.number(), step, stale: step, adapter: v.nullable(v.unknown()) }),
    ),
  } satisfies Record<Exclude<keyof Checkpoint, 'adapter' | 'optimizer'> | 'steps', unknown>),
});
const Answer = v.object({
  line: step,
  prompt: text,
  reference: text,
  answer: text,
  stopped: v.boolean(),
  tokens: step,
  exactMatch: v.boolean(),
  rougeL: v.number(),
  own: v.optional(v.record(text, v.nullable(v.number()))),
});
const Evaluations = v.array(
  v.object({
    runId: text,
    name: text,
    step,
    result: v.object({
      metrics: v.pipe(numbers, has('loss')),
      answers: v.array(Answer),
    }),
  }),
);

/** @throws UserError where it is no such file, one of a newer version, or not what was written */
export async function readRunFile(file: Blob): Promise<RunFile> {
  const files = await checkedFiles(file);
  const parsed = v.safeParse(Description, jsonOf(files[RUN]));
  if (!parsed.success) throw new UserError(faultOf(jsonOf(files[RUN])));
  const { run, checkpoint } = parsed.output;
  const tensors = await tensorsOf(files[TENSORS]);
  const { steps, best, ...rest } = checkpoint;
  const evaluations = v.safeParse(Evaluations, jsonOf(files[EVALUATIONS]));
  const { adapter, exp_avg, exp_avg_sq } = tensors;
  const isWhole = sameTensors(adapter, exp_avg) && sameTensors(adapter, exp_avg_sq) && adapter.size > 0;
  if (!evaluations.success || !isWhole || (best && !sameTensors(adapter, tensors.best)))
    throw new UserError(
      `This file of a run lacks its adapter, its optimiser or its evaluations, or they do not fit together. ${AGAIN}`,
    );
  return {
    run: { ...newRun(run.id), ...run, recipe: parseRecipe(run.recipe) },
    checkpoint: {
      ...rest,
      recipe: parseRecipe(checkpoint.recipe),
      lines: rest.lines as MetricsLine[],
      adapter,
      optimizer: { expAvg: exp_avg, expAvgSq: exp_avg_sq, steps },
      best: best && { ...best, adapter: tensors.best },
    },
    evaluations: evaluations.output.map((evaluation) => ({ ...evaluation, runId: run.id })),
  };
}

function sameTensors(a: AdapterTensors, b: AdapterTensors): boolean {
  const isSame = ([name, { shape }]: [string, { shape: readonly number[] }]) =>
    b.get(name)?.shape.join() === shape.join();
  return a.size === b.size && [...a].every(isSame);
}

/** Undefined where it is no JSON: whoever wrote the file wrote its checksums. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    // What is undefined is refused as a file of another form.
    return undefined;
  }
}

function faultOf(description: unknown): string {
  const { format, version } = (description ?? {}) as { format?: unknown; version?: unknown };
  return format === FORMAT && typeof version === 'number' && version > VERSION
    ? 'This file was written by a newer version of Finetab. Reload the page without a cache, or export the run again with this version.'
    : `This is no file of a run in progress: its description is of another form. ${AGAIN}`;
}

async function checkedFiles(file: Blob): Promise<Record<string, Uint8Array>> {
  let files: Record<string, Uint8Array>;
  try {
    const found = unzipNamed(new Uint8Array(await file.arrayBuffer()), NAMES, MOST_BYTES);
    files = found as Record<string, Uint8Array>;
  } catch {
    throw new UserError(`This is no file of a run in progress: it cannot be unpacked. ${AGAIN}`);
  }
  for (const name of NAMES)
    if (!files[name])
      throw new UserError(`This is no file of a run in progress: ${name} is missing. ${AGAIN}`);
  // Where there are none, none fits.
  const sums = (jsonOf(files[CHECKSUMS]) ?? {}) as Record<string, unknown>;
  for (const name of [RUN, TENSORS, EVALUATIONS])
    if ((await sha256Hex(files[name])) !== sums[name])
      throw new UserError(`${name} in this file of a run is damaged: its checksum is another. ${AGAIN}`);
  return files;
}

async function tensorsOf(bytes: Uint8Array): Promise<Record<(typeof GROUPS)[number], AdapterTensors>> {
  const groups: Record<string, AdapterTensors> = {};
  for (const group of GROUPS) groups[group] = new Map();
  const entries = await readSafetensorsHeader(new Blob([bytes as Uint8Array<ArrayBuffer>]), TENSORS);
  for (const { name, dtype, shape, begin, end } of entries) {
    const at = name.indexOf('/');
    const data = toFloat32(dtype, bytes.slice(begin, end));
    groups[name.slice(0, at)]?.set(name.slice(at + 1), { shape, data });
  }
  return groups;
}
