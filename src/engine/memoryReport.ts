/** The exact GPU memory that an engine's plans need, and the keys under which plans share buffers. */
import { isNf4, tensorPartBytes } from '../formats/tensors.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import { isNormName } from '../model/adapterLayout.ts';
import type { WeightGroup } from '../ops/weights/weightGroups.ts';
import { STATS } from '../ops/optimizer/adamW.ts';
import type { Plan } from '../plan/plan.ts';
import { QUANTIZATION_TABLE_BYTES } from '../quant/nf4.ts';
import type { MemoryReport } from './engine.ts';
import { listPlans, type EnginePlans } from './enginePlans.ts';

/** Steps that may be submitted before the previous one has finished. */
export const STEPS_AHEAD = 1;
/** Bytes of the scalars that a step leaves behind: loss, squared gradient norm, failure flag. */
export const STATS_BYTES = STATS * 4;
/** Bytes of the ring of staging buffers through which the scalars of submitted steps are read back. */
const STEP_RING_BYTES = (STEPS_AHEAD + 1) * STATS_BYTES;

/** Most decode rounds that are submitted before their token ids are read back. */
export const MOST_ROUNDS = 16;

/**
 * @returns the weights that the plans expect side by side in one buffer; all plans of one model agree on them
 */
export function weightGroupsOf(plans: readonly Plan[]): WeightGroup[] {
  return [
    ...new Map(
      plans.flatMap(({ weightGroups }) => weightGroups).map((group) => [group.names[0], group]),
    ).values(),
  ];
}

/** @returns the names of all weights that the plans read */
export function weightNames(plans: readonly Plan[]): Set<string> {
  return new Set(
    plans.flatMap(({ external }) => external.filter(({ role }) => role === 'weight').map(({ name }) => name)),
  );
}

/**
 * The key of the buffer of a value outside the arenas. Plans share the buffer of values of the same role,
 * name and shape; an output belongs to its plan alone.
 */
export function deviceBufferKey(value: Value, plan: Plan): string {
  return value.role === 'output'
    ? `${plan.name}.${value.name}`
    : `${value.role} ${value.name} [${value.shape}]`;
}

/**
 * @returns bytes of each arena; plans never run at the same time, so each arena is as large as the largest
 * plan needs
 */
export function arenaBytes(plans: readonly Plan[]): number[] {
  const arenas: number[] = [];
  for (const plan of plans)
    plan.arenaBytes.forEach((bytes, i) => (arenas[i] = Math.max(arenas[i] ?? 0, bytes)));
  return arenas;
}

/**
 * @returns bytes of the staging buffer for losses and token ids; decode leaves the ids of several rounds in
 * it
 */
export function readbackBytes(plans: readonly Plan[]): number {
  let most = 8;
  for (const { name, external } of plans)
    for (const value of external)
      if (value.role === 'output')
        most = Math.max(most, valueBytes(value) * (name === 'decode' ? MOST_ROUNDS : 1));
  return most;
}

/** What a buffer counts as: of a state, or of an input, output or constant. */
export function bufferCategory({ role, name }: Value): 'adapter' | 'optimizer' | 'batch' | 'kvCache' {
  if (role !== 'state' || name === 'stats') return 'batch';
  if (name.startsWith('cache.')) return 'kvCache';
  return name === 'adapter' || isNormName(name) ? 'adapter' : 'optimizer';
}

/** What an engine with these plans allocates, to the byte. */
export function memoryReport(plans: EnginePlans): MemoryReport {
  const list = listPlans(plans);
  const report = {
    weights: 0,
    adapter: plans.layout.elements * 4,
    optimizer: 0,
    activations: 0,
    batch: readbackBytes(list) + (plans.training ? STEP_RING_BYTES : 0),
    kvCache: 0,
  };
  const counted = new Set<string>();
  const groups = weightGroupsOf(list);
  const grouped = new Set(groups.flatMap(({ names }) => names));
  report.weights = groups.reduce(
    (sum, { parts }) => sum + Object.values(parts).reduce((total, { bytes }) => total + bytes, 0),
    0,
  );
  for (const plan of list) {
    for (const value of plan.external) {
      const key = deviceBufferKey(value, plan);
      // The adapter is counted above: an engine has one even where no plan updates it.
      if (counted.has(key) || (value.role === 'state' && value.name === 'adapter')) continue;
      counted.add(key);
      if (value.role === 'weight') report.weights += grouped.has(value.name) ? 0 : weightBytes(value);
      else if (value.role !== 'parameter' && value.role !== 'gradient')
        report[bufferCategory(value)] += valueBytes(value);
    }
  }
  if (list.some((plan) => plan.external.some(({ kind }) => isNf4(kind))))
    report.weights += QUANTIZATION_TABLE_BYTES;
  report.activations = arenaBytes(list).reduce((a, b) => a + b, 0);
  return { ...report, total: Object.values(report).reduce((a, b) => a + b, 0) };
}

/** Bytes of a weight's parts, each rounded up to a 4-byte word. */
function weightBytes({ name, shape, kind }: Value): number {
  return Object.values(tensorPartBytes({ name, shape: [...shape], kind: kind! })).reduce(
    (sum, bytes) => sum + Math.ceil(bytes / 4) * 4,
    0,
  );
}
