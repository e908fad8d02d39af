/** Checkpoints that name their tensors otherwise than the model's modules are called. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { withOwnHead } from '../../src/import/ownHead.ts';
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

  it('the head, of an embedding that is one with it and is not stored', async () => {
    const plain = await bytesOf(tinyModelFiles({}, TINY_CONFIG), TINY_CONFIG);
    const files = renamed(TINY_CONFIG, (name) => name.replace('model.embed_tokens', 'lm_head'));
    expect(await bytesOf(files, TINY_CONFIG)).toEqual(plain);
    const untied = { ...TINY_CONFIG, tie_word_embeddings: false };
    await expect(bytesOf(files, untied)).rejects.toThrow('no tensor model.embed_tokens.weight');
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

describe('a head beside the embedding that config.json ties it to', () => {
  const stored = (change: number, config: Record<string, unknown> = TINY_CONFIG, prefix = '') => {
    const text = (config.text_config ?? config) as Record<string, unknown>;
    const weights = tinyWeights(text);
    const { shape, dtype, data } = weights.get('model.embed_tokens.weight')!;
    const values = Float32Array.from(data as Float32Array);
    values[values.length - 1] += change;
    weights.set('lm_head.weight', { shape, dtype, data: values });
    const tensors = new Map([...weights].map(([name, tensor]) => [prefix + name, tensor]));
    return [
      { path: 'config.json', blob: new Blob([JSON.stringify(config)]) },
      { path: 'model.safetensors', blob: new Blob([writeSafetensors(tensors) as Uint8Array<ArrayBuffer>]) },
    ];
  };
  const opened = async (files: NamedFile[]) =>
    modelOf((await withOwnHead(await openCheckpoint(files))).config);

  it('is one with it where it has the same values', async () => {
    expect((await opened(stored(0))).headWeight).toBe('model.embed_tokens.weight');
    expect((await opened(tinyModelFiles())).headWeight).toBe('model.embed_tokens.weight');
  });

  it('is the head where one value differs, as in transformers', async () => {
    const model = await opened(stored(1));
    expect(model.headWeight).toBe('lm_head.weight');
    expect(model.tensors.map(({ name }) => name)).toContain('lm_head.weight');
    const whole = { model_type: 'gemma3', text_config: TINY_FAMILIES.gemma3_text, vision_config: {} };
    expect((await opened(stored(1, whole, 'language_model.'))).headWeight).toBe('lm_head.weight');
  });

  it('of a multimodal model is by the whole model, not its text part', () => {
    const tied = (model_type: string, whole: unknown, part: unknown) =>
      modelOf({
        model_type,
        tie_word_embeddings: whole,
        text_config: { ...TINY_CONFIG, tie_word_embeddings: part },
      }).config.tie_word_embeddings;
    expect(tied('mistral3', true, false)).toBe(true);
    expect(tied('mistral3', false, true)).toBe(false);
    expect(tied('mistral3', undefined, false)).toBe(false);
    expect(tied('mistral3', undefined, undefined)).toBe(true);
    expect(tied('llava', undefined, undefined)).toBe(false);
    expect(tied('llava', false, true)).toBe(true);
  });
});
