import { afterEach, describe, expect, it, vi } from 'vitest';
import { compactWgsl, NOT_PLAYED } from '../../scripts/lib/playerBuild.ts';
import { listPlans, makeEnginePlans, makeGenerationPlans } from '../../src/engine/enginePlans.ts';
import type { ExportFile } from '../../src/export/exportFile.ts';
import { mergeDeltas, mergedRows } from '../../src/export/mergeAdapter.ts';
import { storedModelFiles } from '../../src/export/player/storedModel.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import type { ReadAdapter } from '../../src/formats/peft.ts';
import { readPlayerManifest } from '../../src/export/player/playerFolder.ts';
import { isNf4, tensorPartBytes, type WeightSource } from '../../src/formats/tensors.ts';
import { shaderSources } from '../../src/gpu/shaders.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { checkTargets } from '../../src/model/adapterTargets.ts';
import { attentionOp } from '../../src/ops/attention/attention.ts';
import { loraOp } from '../../src/ops/lora/lora.ts';
import { adapterSet } from '../../src/player/adapterSet.ts';
import { manifestOf } from '../../src/player/downloads.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

async function tinySource(quantization: 'nf4' | 'none'): Promise<WeightSource> {
  const checkpoint = await openCheckpoint(tinyModelFiles());
  return memoryWeightSource(checkpoint, modelOf(checkpoint.config).tensors, quantization);
}

async function blobOf(file: ExportFile): Promise<{ path: string; blob: Blob }> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.pieces()) pieces.push(piece);
  const blob = new Blob(pieces as BlobPart[]);
  expect(blob.size, file.path).toBe(file.bytes);
  return { path: file.path, blob };
}

/** Every part of every tensor. */
async function bytesOf(source: WeightSource): Promise<Record<string, Uint8Array>> {
  const all: Record<string, Uint8Array> = {};
  for (const info of source.tensors.values()) {
    for (const [part, bytes] of Object.entries(tensorPartBytes(info)))
      all[`${info.name} ${part}`] = new Uint8Array(bytes);
    for await (const { part, byteOffset, bytes } of source.stream(info.name))
      all[`${info.name} ${part}`].set(bytes, byteOffset);
  }
  return all;
}

describe('a base model that lies on a host without a list', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each(['chat_template.json', 'chat_template.jinja'])('is taken with its %s', async (template) => {
    const there = ['config.json', 'tokenizer.json', template, 'model.safetensors'];
    vi.stubGlobal('fetch', (address: string) =>
      Promise.resolve(new Response('{}', { status: there.includes(address.split('/').at(-1)!) ? 200 : 404 })),
    );
    const { base } = await manifestOf('https://host/model', {});
    expect(base.map(({ path }) => path)).toEqual(there.map((name) => `https://host/model/${name}`));
  });
});

describe('the base model of a player folder', () => {
  it.each([
    ['nf4', 95_000_000],
    ['nf4', 900],
    ['none', 95_000_000],
  ] as const)(
    'in %s, in shards of %i bytes, is read back byte for byte',
    async (quantization, shardBytes) => {
      const base = await tinySource(quantization);
      const files = await Promise.all(storedModelFiles(base, {}, shardBytes).map(blobOf));
      expect(files.some(({ path }) => path.includes('-of-'))).toBe(shardBytes === 900);
      const checkpoint = await openCheckpoint(files);
      const read = memoryWeightSource(checkpoint, modelOf(checkpoint.config).tensors, 'none');
      const kinds = (source: WeightSource) =>
        [...source.tensors.values()].map(({ name, kind }) => [name, kind]);
      expect(kinds(read)).toEqual(kinds(base));
      expect([...base.tensors.values()].some(({ kind }) => isNf4(kind))).toBe(quantization === 'nf4');
      expect(await bytesOf(read)).toEqual(await bytesOf(base));
    },
  );
});

describe('several adapters', () => {
  const modules = ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.down_proj'];
  const config = { r: 0, lora_dropout: 0, base_model_name_or_path: null };

  function adapter(names: readonly string[], r: number, use_dora: boolean, use_rslora: boolean): ReadAdapter {
    const shapes = new Map(modelOf(TINY_CONFIG).tensors.map(({ name, shape }) => [name, shape]));
    const tensors: ReadAdapter['tensors'] = new Map();
    names.forEach((name, i) => {
      const [out, width] = shapes.get(`${name}.weight`)!;
      const stem = `base_model.model.${name}`;
      tensors.set(`${stem}.lora_A.weight`, { shape: [r, width], data: uniform(r * width, r + i) });
      tensors.set(`${stem}.lora_B.weight`, { shape: [out, r], data: uniform(r * out, 7 * r + i) });
      if (use_dora)
        tensors.set(`${stem}.lora_magnitude_vector`, { shape: [out], data: uniform(out, 9).map(Math.abs) });
    });
    return {
      settings: { ...config, r, lora_alpha: 6, use_dora, use_rslora },
      evened: false,
      tensors,
      modules: [...names],
    };
  }

  it('of one shape stay as they are; of others each computes what it did alone', async () => {
    const base = await tinySource('nf4');
    const alike = new Map([
      ['a', adapter(modules, 3, false, false)],
      ['b', adapter(modules, 3, false, false)],
    ]);
    const same = await adapterSet(alike, base, 'tiny');
    expect(same.tensors.get('a')).toBe(alike.get('a')!.tensors);
    expect(same.lora).toMatchObject({ r: 3, lora_alpha: 6 });

    const mixed = new Map([
      ['plain', adapter(modules.slice(0, 1), 2, false, false)],
      ['rslora', adapter(modules, 5, false, true)],
      ['dora', adapter(modules.slice(1), 3, true, false)],
    ]);
    const { lora, tensors } = await adapterSet(mixed, base, 'tiny');
    expect(lora).toMatchObject({ r: 5, lora_alpha: 5, use_dora: true, target_modules: [...modules].sort() });
    for (const [name, alone] of mixed) {
      const own = mergeDeltas(alone.tensors, alone.settings, base.tensors);
      const joint = mergeDeltas(tensors.get(name)!, lora, base.tensors);
      for (const module of modules) {
        const values = async (deltas: typeof own) => {
          const all: number[] = [];
          for await (const rows of mergedRows(base, `${module}.weight`, deltas)) all.push(...rows.values);
          return all;
        };
        const [wanted, made] = [await values(own), await values(joint)];
        const off = wanted.map((value, i) => Math.abs(value - made[i]));
        expect(Math.max(...off), `${name} ${module}`).toBeLessThan(2e-6);
      }
    }
  });
});

describe('the bundle of the player', () => {
  it('has an adapter layout for every family where it has no adapter', async () => {
    for (const config of Object.values(TINY_FAMILIES)) {
      const model = modelOf({ ...config });
      const { lora } = await adapterSet(new Map(), { config } as unknown as WeightSource, 'this model');
      const modules = model.tensors
        .filter(({ quantise }) => quantise)
        .map(({ name }) => name.replace(/\.weight$/, ''));
      expect(() => checkTargets(modules, lora), String(config.model_type)).not.toThrow();
    }
  });

  it.each(shaderSources())('has the tokens of %s, without its comments', (_path, text) => {
    const tokens = (wgsl: string) =>
      wgsl.match(/[\w$]+|->|>>=|<<=|[-+*/%&|^!=<>]=|&&|\|\||\+\+|--|<<|>>|\S/g);
    const compact = compactWgsl(text);
    expect(compact.length).toBeLessThan(text.length);
    expect(tokens(compact)).toEqual(tokens(text.replace(/\/\/.*$/gm, '')));
    // The preprocessor goes by lines.
    const directives = (wgsl: string) => wgsl.split('\n').filter((line) => /^\s*#/.test(line));
    expect(directives(compact)).toEqual(directives(text).map((line) => line.trim()));
  });

  it('leaves out no kernel that a plan of a player has, and no gradient that it asks for', () => {
    const rules = [vi.spyOn(loraOp, 'gradient'), vi.spyOn(attentionOp, 'gradient')];
    const paths = new Map(
      shaderSources().map(([path]) => [path.slice(path.lastIndexOf('/') + 1, -'.wgsl'.length), path]),
    );
    // There every weight is dequantised by itself, so that this kernel is in no plan.
    const dropped = [...paths]
      .filter(([, path]) => NOT_PLAYED.test(`/${path}`))
      .map(([name]) => name)
      .filter((name) => name !== 'dequantize_nf4_several');
    expect(dropped).toContain('adamw');
    const used = new Set<string>();
    for (const [family, config] of Object.entries(TINY_FAMILIES))
      for (const target of ['gpu', 'cpu'] as const)
        for (const use_dora of family === 'llama' ? [false, true] : [false]) {
          const model = modelOf({ ...config });
          const weights = new Map(
            model.tensors.map(({ name, shape, quantise }) => [
              name,
              { name, shape, kind: quantise ? ('nf4' as const) : ('bf16' as const) },
            ]),
          );
          const lora = {
            r: 4,
            lora_alpha: 8,
            lora_dropout: 0,
            use_rslora: false,
            use_dora,
            target_modules: 'all-linear',
          };
          const options = {
            model,
            weights,
            lora,
            tokensPerMicroBatch: 64,
            gradientCheckpointing: true,
            training: false,
          };
          const settings = kernelSettings({ target, rowWorkgroup: target === 'cpu' ? 1 : 128 });
          const limits = { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 };
          const plans = makeEnginePlans(options, settings, limits);
          plans.generation = makeGenerationPlans(options, { slots: 1, maxLength: 128 }, settings, limits);
          for (const plan of listPlans(plans)) for (const { shader } of plan.dispatches) used.add(shader);
        }
    // Gradients are left out, too (OF_GRADIENTS), so that no rule for them may be called.
    for (const rule of rules) expect(rule).not.toHaveBeenCalled();
    expect(used).toContain('attention_decode');
    expect(dropped.filter((name) => used.has(name))).toEqual([]);
  });
});

describe('player.json', () => {
  it('says what of it cannot be used', () => {
    expect(() => readPlayerManifest('<!doctype html>')).toThrow(
      /player\.json cannot be used: .*not a JSON object/,
    );
    expect(() => readPlayerManifest('{"base": []}')).toThrow(/"base" is no list of files/);
    const base = [{ path: 'base/config.json', bytes: 3 }];
    expect(() => readPlayerManifest(JSON.stringify({ base, quantization: 'q4' }))).toThrow(/"q4"/);
    expect(readPlayerManifest(JSON.stringify({ base }))).toMatchObject({
      base,
      adapters: {},
      sampling: { do_sample: false },
    });
  });
});
