/** Checkpoints that name their tensors otherwise than the model's modules are called. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { withModelNames } from '../../src/import/tensorNames.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { sharedPath } from '../helpers/shared.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';
import { TINY_CONFIG, tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

/** The tiny model's files with its tensors renamed. */
function renamed(config: Record<string, unknown>, rename: (name: string) => string): NamedFile[] {
  const weights = new Map([...tinyWeights(config)].map(([name, tensor]) => [rename(name), tensor]));
  return [
    { path: 'config.json', blob: new Blob([JSON.stringify(config)]) },
    { path: 'model.safetensors', blob: new Blob([writeSafetensors(weights) as Uint8Array<ArrayBuffer>]) },
  ];
}

async function bytesOf(files: readonly NamedFile[], config: Record<string, unknown>) {
  const source = memoryWeightSource(await openCheckpoint(files), modelOf(config).tensors, 'none');
  const bytes: Record<string, number[]> = {};
  for (const name of source.tensors.keys()) {
    bytes[name] = [];
    for await (const chunk of source.stream(name)) bytes[name].push(...chunk.bytes);
  }
  return bytes;
}

describe('tensors are found under', () => {
  it.each<[string, Record<string, unknown>, (name: string) => string]>([
    ['their own names', TINY_CONFIG, (name) => name],
    ['names without "model."', TINY_CONFIG, (name) => name.replace(/^model\./, '')],
    [
      '"language_model.model."',
      { ...TINY_CONFIG, tie_word_embeddings: false },
      (name) => `language_model.${name}`,
    ],
    ['"model.language_model."', TINY_CONFIG, (name) => name.replace(/^model\./, 'model.language_model.')],
    ["LFM3's stored name of the gate", TINY_FAMILIES.lfm3, (name) => name.replace('.g_proj.', '.gate_proj.')],
  ])('%s', async (_, config, rename) => {
    const plain = await bytesOf(tinyModelFiles({}, config), config);
    expect(await bytesOf(renamed(config, rename), config)).toEqual(plain);
  });

  it('the text part of a multimodal model, with what is left over named', async () => {
    const text_config = TINY_FAMILIES.gemma3_text;
    const config = { model_type: 'gemma3', text_config, vision_config: {} };
    const files = renamed(text_config, (name) => `language_model.${name}`);
    const model = modelOf(config);
    expect(model.tensors.every(({ name }) => /^(model\.language_model\.|lm_head)/.test(name))).toBe(true);
    const source = await openCheckpoint(files);
    source.tensors.set('vision_tower.patch.weight', [...source.tensors.values()][0]);
    const named = withModelNames(source, model.tensors);
    const known = new Set(model.tensors.map(({ name }) => name));
    expect([...named.tensors.keys()].filter((name) => !known.has(name))).toEqual([
      'vision_tower.patch.weight',
    ]);
    expect(model.tensors.filter(({ name }) => !named.tensors.has(name))).toEqual([]);
  });

  const folder = sharedPath('cases/35-without-model-prefix/model');
  it.skipIf(!folder)('a real folder saved from the bare model', async () => {
    const source = await openCheckpoint(await filesOf(folder!));
    const { tensors } = modelOf(source.config);
    expect(tensors.some(({ name }) => source.tensors.has(name))).toBe(false);
    const named = withModelNames(source, tensors);
    for (const { name, shape } of tensors) expect(named.tensors.get(name)?.shape, name).toEqual(shape);
  });
});
