/** The adapter of a kept run, as an engine is made for it. */
import type { AdapterTensors, Engine } from '../../engine/engine.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database } from '../../storage/database.ts';
import { findRun, readPart } from '../../storage/runs.ts';
import { readKernelChoice, type KernelChoice } from '../../tuning/kernelChoice.ts';
import type { Recipe } from '../../training/recipe.ts';

export interface HeldAdapter {
  runId: string;
  modelId: string;
  recipe: Recipe;
  tokensPerMicroBatch: number;
  /** The run's; absent where TensorFlow.js ran it. */
  kernels?: KernelChoice;
  adapter: AdapterTensors;
  /** null where it must be created again: a run took the device, or the device was lost. */
  engine: Engine | null;
}

/** @throws UserError where the run is gone, or has none */
export async function readHeldAdapter(database: Database, runId: string): Promise<HeldAdapter> {
  const run = await findRun(database, runId);
  if (!run) throw new UserError('This run is not kept in this browser any more.');
  const adapter = (await readPart(database, runId, 'adapter')) as AdapterTensors | undefined;
  if (!adapter) throw new UserError('This run ended without an adapter. Resume it, or choose another run.');
  return {
    runId,
    modelId: run.modelId,
    recipe: run.recipe as Recipe,
    tokensPerMicroBatch: run.tokensPerMicroBatch,
    kernels: readKernelChoice(run.kernels) ?? undefined,
    adapter,
    engine: null,
  };
}
