/**
 * Loads the embedded demo for benchmarks: its model, its rows and its recipe.
 */
import { buildDataset } from '../../src/data/documents.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { ChatTokenizer, filesOfModel } from '../../src/data/tokenizer/chatTokenizer.ts';
import type { DocumentTable } from '../../src/data/documentTable.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { parseRecipe, trainFilesOf, type Recipe } from '../../src/training/recipe.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import type { BenchHost } from './measuring.ts';

export interface DemoData {
  weights: WeightSource;
  documents: DocumentTable;
  padTokenId: number;
  validation: { name: string; documents: DocumentTable }[];
}

const MODEL = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];

export async function loadDemo(host: BenchHost): Promise<DemoData & { recipe: Recipe }> {
  const recipe = parseRecipe(await (await host.demoFile('demo.json')).text());
  const source = await openCheckpoint(
    await Promise.all(MODEL.map(async (path) => ({ path, blob: await host.demoFile(path) }))),
  );
  const tokenizer = new ChatTokenizer(filesOfModel(source));
  const rows = async (name: string) => {
    const settings = {
      systemPrompt: recipe.system_prompt,
      maxLength: recipe.max_length,
      dateString: recipe.date_string,
    };
    return (await buildDataset(name, await parseRows(await host.demoFile(name), name), tokenizer, settings))
      .documents;
  };
  return {
    recipe,
    weights: memoryWeightSource(source, modelOf(source.config).tensors, 'nf4'),
    documents: await rows(trainFilesOf(recipe)[0]),
    padTokenId: tokenizer.padTokenId,
    validation: await Promise.all(
      recipe.validation_files.map(async (file) => ({
        name: file.split('.')[0],
        documents: await rows(file),
      })),
    ),
  };
}
