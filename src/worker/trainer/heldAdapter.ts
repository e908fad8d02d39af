/** The adapter of a kept run, as an engine is made for it. */
import type { AdapterTensors, Engine } from '../../engine/engine.ts';
import { isHeadInQ8_0 } from '../../engine/headDtype.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database } from '../../storage/database.ts';
import { findRun, readPart } from '../../storage/runs.ts';
import { readKernelChoice, type KernelChoice } from '../../tuning/kernelChoice.ts';
import type { StepAdapter } from './stepAdapters.ts';
import type { Recipe } from '../../training/recipe.ts';

/** An adapter of a run; of an earlier step of it where one is named. */
export interface WhichAdapter {
  runId: string;
  step?: number | null;
}

export interface HeldAdapter {
  runId: string;
  /** An earlier step of the run; null: the adapter that it ended with. */
  step: number | null;
  modelId: string;
  recipe: Recipe;
  tokensPerMicroBatch: number;
  /** The run's; absent where TensorFlow.js ran it. */
  kernels?: KernelChoice;
  /** As the run had it, so that answers are computed as it was trained. */
  headInQ8_0: boolean;
  adapter: AdapterTensors;
  /** null where it must be created again: a run took the device, or the device was lost. */
  engine: Engine | null;
}

/** @throws UserError where the run is gone, or has none */
export async function readHeldAdapter(
  database: Database,
  { runId, step = null }: WhichAdapter,
): Promise<HeldAdapter> {
  const run = await findRun(database, runId);
  if (!run) throw new UserError('This run is not kept in this browser any more.');
  const adapter =
    step === null
      ? ((await readPart(database, runId, 'adapter')) as AdapterTensors | undefined)
      : await readStep(database, runId, step);
  if (!adapter) throw new UserError('This run ended without an adapter. Resume it, or choose another run.');
  return {
    runId,
    step,
    modelId: run.modelId,
    recipe: run.recipe as Recipe,
    tokensPerMicroBatch: run.tokensPerMicroBatch,
    kernels: readKernelChoice(run.kernels) ?? undefined,
    headInQ8_0: run.headInQ8_0 ?? isHeadInQ8_0({}, (run.recipe as Recipe).training),
    adapter,
    engine: null,
  };
}

async function readStep(database: Database, runId: string, step: number): Promise<AdapterTensors> {
  const kept = (await readPart(database, runId, 'steps')) as StepAdapter[] | undefined;
  const found = kept?.find((other) => other.step === step);
  if (!found) throw new UserError(`The adapter of step ${step} is not kept. Choose another step.`);
  return found.adapter;
}

export function holds(held: HeldAdapter, { runId, step = null }: WhichAdapter): boolean {
  return held.runId === runId && held.step === step;
}

/**
 * Whether an engine that was made for one adapter can answer with another once it is loaded: the same
 * weights, the same shape of adapter and the same arithmetic.
 */
export function canShareEngine(one: HeldAdapter, other: HeldAdapter): boolean {
  return (
    one.modelId === other.modelId &&
    JSON.stringify(one.recipe.lora) === JSON.stringify(other.recipe.lora) &&
    one.headInQ8_0 === other.headInQ8_0 &&
    one.kernels?.level === other.kernels?.level &&
    one.tokensPerMicroBatch >= other.tokensPerMicroBatch
  );
}
