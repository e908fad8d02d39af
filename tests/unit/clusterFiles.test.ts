import { describe, expect, it } from 'vitest';
import { clusterFiles } from '../../src/export/cluster/clusterFiles.ts';
import { notesOf } from '../../src/export/exportFile.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';

const PREFIX = 'base_model.model.model.layers.0.mlp';
const matrix = (rows: number, columns: number) => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, i) => i + 1),
});
/** Module down_proj has a rank of its own. */
const trained = new Map([
  [`${PREFIX}.up_proj.lora_A.weight`, matrix(4, 2)],
  [`${PREFIX}.up_proj.lora_B.weight`, matrix(3, 4)],
  [`${PREFIX}.down_proj.lora_A.weight`, matrix(1, 3)],
  [`${PREFIX}.down_proj.lora_B.weight`, matrix(2, 1)],
]);

function filesOf(recipe: RecipeInput, state: boolean, evened = false) {
  const settings = { ...parseRecipe(recipe).lora, base_model_name_or_path: null };
  return clusterFiles({
    adapter: { settings, evened, tensors: trained, modules: [] },
    cluster: {
      recipe: parseRecipe(recipe),
      state: state ? { step: 3, adapter: trained, optimizer: null } : null,
      totalSteps: 9,
      data: state ? new Map() : null,
    },
    texts: {},
    tokenizer: null,
  });
}

function textOf(files: ReturnType<typeof filesOf>, path: string): string {
  const [bytes] = files.find((file) => file.path === path)!.pieces() as Iterable<Uint8Array>;
  return new TextDecoder().decode(bytes);
}

describe('the folder for a bigger machine', () => {
  it('keeps ranks of their own, so that the run learns on as it did', () => {
    const lora = { r: 4, lora_alpha: 8, rank_pattern: { down_proj: 1 }, alpha_pattern: { down_proj: 3 } };
    const files = filesOf({ lora }, true);
    expect(JSON.parse(textOf(files, 'adapter/adapter_config.json'))).toMatchObject(lora);
    expect(notesOf(files)).toEqual([]);
  });

  it.each([
    [{ method: 'dpo' }, /trains with method "sft"; this run's is "dpo"/],
    [{ quantization: 'gguf' }, /held as the blocks of a GGUF/],
  ] as const)('refuses %o, which the script cannot go on with', (recipe, sentence) => {
    expect(() => filesOf(recipe, true)).toThrow(sentence);
  });

  it('says what the script leaves out, at the export and in its README', () => {
    const evaluation = { metric_for_best_model: 'eval_math_loss', predict_with_generate: true };
    const files = filesOf({ evaluation }, false, true);
    const notes = notesOf(files);
    expect(notes.map((note) => note.split(' ').slice(0, 3).join(' '))).toEqual([
      'The script goes',
      'The script evaluates',
      'The modules of',
      'Of rows of',
    ]);
    for (const note of notes) expect(textOf(files, 'README.md')).toContain(note);
  });
});
