/** An adapter in other forms on disk: what `npm run convert` and `npm run headless -- --export` do. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ChatTokenizer, filesOfModel } from '../../src/data/tokenizer/chatTokenizer.ts';
import { notesOf, type ExportFile } from '../../src/export/exportFile.ts';
import type { ClusterParts } from '../../src/export/cluster/clusterFiles.ts';
import { exportForms, type ExportInput } from '../../src/export/exportForms.ts';
import { EXPORT_NAMES, type ExportName } from '../../src/export/exportNames.ts';
import type { PlayerParts } from '../../src/export/player/playerFiles.ts';
import { openCheckpoint, type NamedFile, type SourceCheckpoint } from '../../src/formats/checkpoint.ts';
import { withOwnHead } from '../../src/import/ownHead.ts';
import type { ReadAdapter } from '../../src/formats/peft.ts';
import { DEFAULT_SAMPLING } from '../../src/export/player/playerFolder.ts';
import type { Quantization } from '../../src/import/planTensors.ts';
import { readAdapter } from '../../src/import/readAdapter.ts';
import { streamingWeightSource } from '../../src/import/weightSources.ts';
import { UserError } from '../../src/lib/errors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { parseRecipe, type Recipe } from '../../src/training/recipe.ts';
import { filesAt } from './nodeFiles.ts';
import { playerModules } from './playerBuild.ts';
import { recipeAt } from './recipeAt.ts';
import { recipeDocuments } from './recipeDocuments.ts';

export interface Conversion extends Pick<ExportInput, 'dtype' | 'ggufType'> {
  /** A PEFT folder, or a GGUF LoRA adapter. */
  adapter: string;
  /** A model's folder, or a .gguf. */
  base: string;
  forms: readonly ExportName[];
  /** One folder a form is written into it. */
  out: string;
  /** The recipe that the adapter was trained by: its system prompt, its rows, its settings. */
  recipe?: string;
  /** How a player holds the base; absent: as the recipe says, else in NF4, or a GGUF as it is. */
  quantization?: Quantization;
  /** What the result calls itself. */
  name?: string;
}

/** @throws UserError naming the first of `names` that is no form */
export function exportNames(names: readonly string[]): ExportName[] {
  return names.map((name) => {
    const found = EXPORT_NAMES.find((known) => known === name);
    if (!found) throw new UserError(`There is no form ${name}. Forms: ${EXPORT_NAMES.join(', ')}.`);
    return found;
  });
}

/**
 * Writes each form that can be; those that cannot hold the adapter do not keep the others from it.
 * @throws UserError where an adapter or a base cannot be read, or after the others where a form cannot hold
 * the adapter, with the sentence of each
 */
export async function convertAdapter(conversion: Conversion): Promise<void> {
  const { adapter, base, forms, out, dtype, ggufType, name = basename(resolve(adapter)) } = conversion;
  const baseFiles = await filesAt(base);
  const source = await withOwnHead(await openCheckpoint(baseFiles));
  const read = await readAdapter(await filesAt(adapter), source.config);
  const weights = streamingWeightSource(source, modelOf(source.config).tensors);
  const recipe = conversion.recipe === undefined ? null : (await recipeAt(conversion.recipe)).recipe;
  const refused: string[] = [];
  for (const form of forms) {
    const make = async () => {
      const input: ExportInput = {
        adapter: read,
        base: weights,
        ...(source.ggufSource && { ggufSource: source.ggufSource }),
        baseWeights: `the weights of the files at hand${source.prequantized || source.gguf ? ', dequantised' : ''}`,
        texts: source.texts,
        name,
        dtype,
        ggufType,
        system: recipe?.system_prompt ?? null,
        ...(form === 'player' && (await playerInput(conversion, source, baseFiles, recipe))),
        ...(form === 'cluster' && { cluster: await clusterInput(conversion, source, read, recipe) }),
      };
      return exportForms[form](input);
    };
    const files = await make().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      refused.push(`${form}: ${error.message}`);
      return null;
    });
    if (!files) continue;
    for (const file of files) await write(join(out, form), file);
    console.log(`${form}: ${files.map(({ path }) => join(out, form, path)).join(', ')}`);
    for (const note of notesOf(files)) console.log(`  ${note}`);
  }
  if (refused.length > 0) throw new UserError(refused.join('\n'));
}

/** The base as the player is to hold it, and the player. */
async function playerInput(
  { quantization }: Conversion,
  source: SourceCheckpoint,
  baseFiles: readonly NamedFile[],
  recipe: Recipe | null,
): Promise<{ player: PlayerParts; baseWeights: string }> {
  const wanted = quantization ?? recipe?.quantization ?? (source.gguf ? 'gguf' : 'nf4');
  const { evaluation, training, date_string } = recipe ?? {};
  return {
    baseWeights: { nf4: 'NF4', gguf: "the GGUF's own blocks", none: 'the weights of its files' }[wanted],
    player: {
      modules: await playerModules(),
      base:
        wanted === 'gguf' && source.gguf
          ? { gguf: baseFiles.map(({ path, blob }) => ({ name: basename(path), blob })) }
          : streamingWeightSource(source, modelOf(source.config).tensors, wanted),
      sampling: evaluation && training ? { ...evaluation, seed: training.seed } : DEFAULT_SAMPLING,
      dateString: date_string ?? null,
    },
  };
}

async function clusterInput(
  { recipe: path }: Conversion,
  source: SourceCheckpoint,
  { settings }: ReadAdapter,
  recipe: Recipe | null,
): Promise<ClusterParts> {
  const { r, lora_alpha, lora_dropout, use_rslora, use_dora } = settings;
  const lora = { r, lora_alpha, lora_dropout, use_rslora, use_dora };
  const tokenizer = () => new ChatTokenizer(filesOfModel({ config: source.config, texts: source.texts }));
  return {
    recipe: recipe ?? parseRecipe({ lora }),
    state: null,
    totalSteps: null,
    data: recipe && path ? await recipeDocuments(recipe, dirname(path), tokenizer()) : null,
  };
}

/** Writes beside the final name and renames at the end: a file that is there is whole. */
async function write(folder: string, file: ExportFile): Promise<void> {
  const path = join(folder, file.path);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.from(file.pieces()), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
