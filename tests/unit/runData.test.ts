/** What a benchmark trains of a recipe: the rows that the page would train, or why it trains none. */
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDemo, loadRun, type RunFiles } from '../../scripts/bench/runData.ts';
import { filesAt } from '../../scripts/lib/nodeFiles.ts';
import { root } from '../../scripts/lib/site.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

const demoFile = (name: string) => openAsBlob(join(root, 'public', 'demo', name));

async function runOf(recipe: object): Promise<RunFiles> {
  return {
    recipe: parseRecipe(recipe),
    model: await filesAt(join(root, 'public', 'demo')),
    file: demoFile,
  };
}

const RECIPE = {
  model: 'demo',
  train_file: 'pirate.jsonl',
  validation_files: ['manners.val.jsonl'],
  max_length: 128,
};

describe('a run of a benchmark', () => {
  it('is the demo where there is no other', async () => {
    const { documents, validation, recipe } = await loadDemo({ demoFile });
    expect(documents.length).toBe(400);
    expect(validation.map(({ name }) => name)).toEqual(['pirate', 'manners', 'arithmetic']);
    expect(recipe.training.max_steps).toBe(30);
  });

  it('has a recipe’s own files, without the rows that it holds out', async () => {
    const { documents, validation } = await loadRun(await runOf({ ...RECIPE, val_set_size: 0.1 }));
    expect(documents.length).toBe(360);
    expect(validation.map(({ documents: rows }) => rows.length)).toEqual([16]);
  });

  it('is refused where pairs would be trained on as rows', async () => {
    const run = await runOf({ ...RECIPE, method: 'dpo' });
    await expect(loadRun(run)).rejects.toThrow("The benchmark trains method sft; the recipe's is dpo.");
  });
});
