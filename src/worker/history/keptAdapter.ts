/**
 * An adapter that was dropped, kept as if it were a run's, so that all that a result offers works with it.
 */
import type { NamedFile } from '../../formats/checkpoint.ts';
import { UserError } from '../../lib/errors.ts';
import { contentHash } from '../../lib/contentHash.ts';
import { adapterName, readAdapter } from '../../import/readAdapter.ts';
import { fittingLora } from '../../import/startingAdapter.ts';
import { modelOf } from '../../model/families/registry.ts';
import { newRun, type Database } from '../../storage/database.ts';
import { findModel } from '../../storage/models.ts';
import { endRun, findRun, putRun } from '../../storage/runs.ts';
import { parseRecipe } from '../../training/recipe.ts';
import type { AdapterPrompts } from './historyProtocol.ts';

/** T where an adapter answers that no run of this browser trained. */
const TOKENS_PER_MICRO_BATCH = 512;

/**
 * @returns its id; the same adapter over the same model is kept once @throws UserError where it does not fit
 */
export async function keepAdapter(
  database: Database,
  files: readonly NamedFile[],
  modelId: string,
  prompts: AdapterPrompts,
): Promise<string> {
  const manifest = await findModel(database, modelId);
  if (!manifest) throw new UserError('Choose a model first: the adapter is checked against it.');
  const adapter = await readAdapter(files, manifest.config);
  const lora = fittingLora(adapter, modelOf(manifest.config), manifest.name);
  const name = adapterName(files);
  const id = `adapter-${(await contentHash([modelId, lora, prompts, adapter.tensors])).slice(0, 16)}`;
  if (await findRun(database, id)) return id;
  const bytes = [...adapter.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const record = {
    ...newRun(id),
    startedAt: new Date().toISOString(),
    name,
    modelId,
    modelName: manifest.name,
    trainFile: name,
    recipe: parseRecipe({ ...prompts, model: manifest.name, quantization: manifest.quantization, lora }),
    tokensPerMicroBatch: TOKENS_PER_MICRO_BATCH,
    startedFrom: name,
    adapterBytes: bytes,
  };
  await putRun(database, record);
  const parts = { adapter: adapter.tensors, lines: [] };
  await endRun(database, id, { state: 'finished', adapterStep: 0 }, parts, false);
  return id;
}
