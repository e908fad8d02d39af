/** Loads what a run is made from, for benchmarks: a recipe, its model and its rows. The demo's, or others. */
import { buildDataset } from '../../src/data/documents.ts';
import type { DocumentTable } from '../../src/data/documentTable.ts';
import { baseName } from '../../src/data/files/fileNames.ts';
import { documentSettingsOf } from '../../src/data/rows/encoding/documentTypes.ts';
import { openJoinedRows } from '../../src/data/rows/joinedRows.ts';
import { selectionOf, type Selection } from '../../src/data/rows/rowSelection.ts';
import { ChatTokenizer, filesOfModel } from '../../src/data/tokenizer/chatTokenizer.ts';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { withOwnHead } from '../../src/import/ownHead.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { UserError } from '../../src/lib/errors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { parseRecipe, trainFilesOf, type Recipe } from '../../src/training/recipe.ts';

/** A run before its files are read. */
export interface RunFiles {
  recipe: Recipe;
  /** Of its folder's top, or the one .gguf. */
  model: NamedFile[];
  /** A data file, by the name that the recipe has for it. */
  file(name: string): Promise<Blob>;
}

export interface RunData {
  recipe: Recipe;
  weights: WeightSource;
  documents: DocumentTable;
  padTokenId: number;
  validation: { name: string; documents: DocumentTable }[];
}

const DEMO_MODEL = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];

/** @param host gives a file of public/demo by its name */
export async function loadDemo(host: { demoFile: RunFiles['file'] }): Promise<RunData> {
  return loadRun({
    recipe: parseRecipe(await (await host.demoFile('demo.json')).text()),
    model: await Promise.all(DEMO_MODEL.map(async (path) => ({ path, blob: await host.demoFile(path) }))),
    file: (name) => host.demoFile(name),
  });
}

/**
 * Rows that the recipe holds out are not trained on.
 * @throws UserError where the model or a row cannot be read, or pairs or rewards are trained on
 */
export async function loadRun({ recipe, model, file }: RunFiles): Promise<RunData> {
  if (recipe.method !== 'sft')
    throw new UserError(`The benchmark trains method sft; the recipe's is ${recipe.method}.`);
  const source = await withOwnHead(await openCheckpoint(model));
  const tokenizer = new ChatTokenizer(filesOfModel(source));
  const documents = async (names: readonly string[], side: Selection['side']) => {
    const parts = await Promise.all(
      names.map(async (name) => ({ name: baseName(name), blob: await file(name) })),
    );
    const rows = await openJoinedRows(parts, recipe.columns, { ...selectionOf(recipe), side });
    return (await buildDataset(names.join(' + '), rows, tokenizer, documentSettingsOf(recipe))).documents;
  };
  return {
    recipe,
    weights: memoryWeightSource(source, modelOf(source.config).tensors, recipe.quantization),
    documents: await documents(trainFilesOf(recipe), 'train'),
    padTokenId: tokenizer.padTokenId,
    validation: await Promise.all(
      recipe.validation_files.map(async (name) => ({
        name: baseName(name).split('.')[0],
        documents: await documents([name], 'both'),
      })),
    ),
  };
}
