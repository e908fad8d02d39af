import { describe, expect, it } from 'vitest';
import { unzipSync } from 'fflate';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readPeftFolder, writePeftFolder, type ReadAdapter } from '../../src/formats/peft.ts';
import type { Float32Tensor } from '../../src/formats/tensors.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { zipFolder } from '../../src/formats/zip.ts';
import { loraOf } from '../../src/import/startingAdapter.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { sharedPath } from '../helpers/shared.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { TINY_CONFIG } from '../helpers/tinyModel.ts';

const A = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
const B = 'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight';
const tensors = new Map([
  [A, { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6.5]) }],
  [B, { shape: [4, 2], data: new Float32Array([-1, 0, 1, 2, 3, 4, 5, 6]) }],
]);
const settings = {
  r: 2,
  lora_alpha: 4,
  lora_dropout: 0.1,
  use_rslora: true,
  use_dora: false,
  base_model_name_or_path: 'org/model',
};
const written = () => writePeftFolder(tensors, settings, { 'tokenizer.json': '{}' }, '# card');

describe('PEFT folder', () => {
  it('holds what an independent reader of safetensors and JSON expects', () => {
    const files = written();
    expect([...files.keys()].sort()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'tokenizer.json',
    ]);
    const config = JSON.parse(new TextDecoder().decode(files.get('adapter_config.json'))) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      r: 2,
      lora_alpha: 4,
      lora_dropout: 0.1,
      use_rslora: true,
      bias: 'none',
      base_model_name_or_path: 'org/model',
      target_modules: ['q_proj'],
    });
    expect(readIndependently(files.get('adapter_model.safetensors')!)).toEqual({
      [A]: { dtype: 'F32', shape: [2, 3], values: [1, 2, 3, 4, 5, 6.5] },
      [B]: { dtype: 'F32', shape: [4, 2], values: [-1, 0, 1, 2, 3, 4, 5, 6] },
    });
  });

  it('is read back, and is the same bytes each time, zipped too', async () => {
    const blobs = new Map([...written()].map(([name, bytes]) => [name, new Blob([bytes as BlobPart])]));
    expect(await readPeftFolder(blobs)).toEqual({
      settings,
      tensors,
      evened: false,
      modules: ['model.layers.0.self_attn.q_proj'],
    });
    expect(zipFolder(written(), 'adapter')).toEqual(zipFolder(written(), 'adapter'));
    const unzipped = unzipSync(zipFolder(written(), 'adapter'));
    expect(unzipped['adapter/adapter_model.safetensors']).toEqual(written().get('adapter_model.safetensors'));
  });

  it('says what is wrong with a folder', async () => {
    const blob = (text: string) => new Blob([text]);
    await expect(readPeftFolder(new Map())).rejects.toThrow(/adapter_config.json is missing/);
    const weights = new Blob([written().get('adapter_model.safetensors') as BlobPart]);
    const folder = (config: string) =>
      new Map([
        ['adapter_config.json', blob(config)],
        ['adapter_model.safetensors', weights],
      ]);
    await expect(readPeftFolder(folder('{'))).rejects.toThrow(/not JSON/);
    await expect(readPeftFolder(folder('{"peft_type":"IA3"}'))).rejects.toThrow(/only LORA adapters/);
    await expect(readPeftFolder(folder('{"peft_type":"LORA","r":8,"lora_alpha":8}'))).rejects.toThrow(
      /does not fit r = 8/,
    );
    const config = (more: object) =>
      folder(JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 4, ...more }));
    await expect(readPeftFolder(config({ bias: 'all' }))).rejects.toThrow(
      /bias is "all"; trained biases are not read/,
    );
    await expect(readPeftFolder(config({ rank_pattern: { q_proj: 4 } }))).rejects.toThrow(
      /does not fit r = 4 of/,
    );
    await expect(readPeftFolder(config({ modules_to_save: ['lm_head'] }))).rejects.toThrow(
      /modules_to_save is \["lm_head"\]/,
    );
    await expect(readPeftFolder(config({ r: 0 }))).rejects.toThrow(/r is 0; it must be a positive/);
    const tensorsOf = (entries: [string, number[]][]) =>
      new Map([
        ['adapter_config.json', blob('{"peft_type":"LORA","r":2,"lora_alpha":4}')],
        [
          'adapter_model.safetensors',
          new Blob([
            writeSafetensors(
              new Map(
                entries.map(([name, shape]) => [
                  name,
                  { dtype: 'F32', shape, data: new Float32Array(shape[0] * shape[1]) },
                ]),
              ),
            ) as BlobPart,
          ]),
        ],
      ]);
    await expect(readPeftFolder(tensorsOf([[A, [2, 3]]]))).rejects.toThrow(
      /no lora_B for model\.layers\.0\.self_attn\.q_proj/,
    );
    await expect(
      readPeftFolder(tensorsOf([['base_model.model.model.embed_tokens.lora_embedding_A', [2, 3]]])),
    ).rejects.toThrow(/lora_embedding_A is not a LoRA matrix of a linear/);
    // The adapter's name left in by some versions of PEFT.
    const named = await readPeftFolder(
      tensorsOf([
        [A.replace('.weight', '.default.weight'), [2, 3]],
        [B.replace('.weight', '.default.weight'), [4, 2]],
      ]),
    );
    expect([...named.tensors.keys()].sort()).toEqual([A, B]);
  });

  it('reads adapters that Python wrote, and finds the lora settings that they need', async (context) => {
    const golden = sharedPath('golden');
    if (!golden) return context.skip();
    const families = readdirSync(golden).filter((name) => existsSync(join(golden, name, 'adapter_init')));
    expect(families.length).toBeGreaterThan(8);
    // The architecture of one is not there yet.
    for (const family of families.filter((name) => name !== 'qwen3_5')) {
      const folder = join(golden, family);
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
      for (const name of readdirSync(folder).filter((entry) =>
        existsSync(join(folder, entry, 'adapter_config.json')),
      )) {
        const files = new Map(
          ['adapter_config.json', 'adapter_model.safetensors'].map((file) => [
            file,
            new Blob([readFileSync(join(folder, name, file))]),
          ]),
        );
        const read = await readPeftFolder(files);
        expect(loraOf(read, modelOf(config), family)).toMatchObject({
          r: read.settings.r,
          lora_alpha: read.settings.lora_alpha,
          target_modules: 'all-linear',
        });
      }
    }
  });
});

describe('keys that change what is computed', () => {
  const folderOf = (more: Record<string, unknown>) => {
    const files = written();
    const text = new TextDecoder().decode(files.get('adapter_config.json'));
    const config = { ...(JSON.parse(text) as object), ...more };
    return new Map([
      ['adapter_config.json', new Blob([JSON.stringify(config)])],
      ['adapter_model.safetensors', new Blob([files.get('adapter_model.safetensors') as BlobPart])],
    ]);
  };

  it.each<[string, unknown]>([
    ['init_lora_weights', 'pissa'],
    ['init_lora_weights', 'pissa_niter_16'],
    ['init_lora_weights', 'olora'],
    ['init_lora_weights', 'corda'],
    ['init_lora_weights', 'loftq'],
    ['init_lora_weights', 'lora_ga'],
    ['alora_invocation_tokens', [1, 2]],
    ['use_qalora', true],
    ['kasa_config', { beta: 1 }],
    ['a_key_of_next_year', 'x'],
    ['alpha_pattern', { q_proj: -3 }],
  ])('%s %j is refused by its name', async (key, value) => {
    await expect(readPeftFolder(folderOf({ [key]: value }))).rejects.toThrow(
      new RegExp(`adapter_config\\.json: ${key} is ${JSON.stringify(value).replaceAll(/[[\]{}]/g, '.')}`),
    );
  });

  it.each<[string, unknown]>([
    ['init_lora_weights', 'gaussian'],
    ['init_lora_weights', false],
    ['alora_invocation_tokens', null],
    ['a_key_of_next_year', {}],
    ['corda_config', {}],
    ['peft_version', '0.19.1'],
  ])('%s %j is taken', async (key, value) => {
    expect((await readPeftFolder(folderOf({ [key]: value }))).settings.r).toBe(2);
  });

  const cases = sharedPath('cases');
  const open = (path: string) =>
    readPeftFolder(
      new Map(
        ['adapter_config.json', 'adapter_model.safetensors'].map((file) => [
          file,
          new Blob([readFileSync(join(cases!, path, file))]),
        ]),
      ),
    );
  it.skipIf(!cases)('PiSSA and OLoRA adapters of PEFT are refused, the plain one is taken', async () => {
    for (const name of ['pissa', 'pissa16', 'olora'])
      await expect(open(`38-pissa/${name}`)).rejects.toThrow(/init_lora_weights is "(pissa|olora)/);
    expect((await open('38-pissa/plain')).modules.length).toBeGreaterThan(0);
  });

  it.skipIf(!cases)(
    'DoRA of PEFT is taken with its magnitudes, and refused where use_dora is missing',
    async () => {
      const config = JSON.parse(readFileSync(join(cases!, '39-dora/model/config.json'), 'utf8')) as object;
      const dora = await open('39-dora/dora');
      expect(loraOf(dora, modelOf({ ...config }), 'tiny')).toMatchObject({ use_dora: true, r: 4 });
      const magnitudes = [...dora.tensors].filter(([name]) => name.endsWith('.lora_magnitude_vector'));
      expect(magnitudes.length).toBe(dora.modules.length);
      expect(magnitudes.every(([, { data }]) => data.every((value) => value > 0))).toBe(true);
      await expect(open('39-dora/silent')).rejects.toThrow(/lora_magnitude_vector.+does not say use_dora/);
    },
  );

  it('a DoRA adapter has one magnitude for each output of a module', async () => {
    const plain = await readPeftFolder(folderOf({}));
    const tensors = (length: number | null) =>
      new Map<string, Float32Tensor>(
        plain.modules.flatMap((module) => {
          const name = `base_model.model.${module}`;
          const matrices = ['A', 'B'].map(
            (matrix) =>
              [`${name}.lora_${matrix}.weight`, plain.tensors.get(`${name}.lora_${matrix}.weight`)!] as const,
          );
          const out = matrices[1][1].shape[0];
          const data = new Float32Array(length ?? out).map((_, i) => 1 + i);
          const magnitudes: Float32Tensor = { shape: [data.length], data };
          return [...matrices, [`${name}.lora_magnitude_vector`, magnitudes] as const];
        }),
      );
    const read = (written: ReturnType<typeof tensors>) =>
      readPeftFolder(
        new Map(
          [...writePeftFolder(written, { ...plain.settings, use_dora: true })].map(([file, bytes]) => [
            file,
            new Blob([bytes as Uint8Array<ArrayBuffer>]),
          ]),
        ),
      );
    const made = tensors(null);
    expect((await read(made)).tensors).toEqual(made);
    await expect(read(tensors(1))).rejects.toThrow(/has \[1\] as lora_magnitude_vector/);
    await expect(read(new Map(plain.tensors))).rejects.toThrow(/has no lora_magnitude_vector/);
  });
});

describe('an adapter against a model', () => {
  const model = modelOf(TINY_CONFIG);
  const adapter = (
    modules: string[],
    change: (shape: number[]) => number[] = (shape) => shape,
  ): ReadAdapter => ({
    settings: { ...settings, base_model_name_or_path: 'org/other' },
    evened: false,
    modules,
    tensors: new Map(
      modules.flatMap((module) => {
        const [out, width] = model.tensors.find(({ name }) => name === `${module}.weight`)?.shape ?? [4, 4];
        return (
          [
            [`base_model.model.${module}.lora_A.weight`, change([2, width])],
            [`base_model.model.${module}.lora_B.weight`, [out, 2]],
          ] as const
        ).map(
          ([name, shape]) =>
            [name, { shape: [...shape], data: new Float32Array(shape[0] * shape[1]) }] as const,
        );
      }),
    ),
  });
  const linears = model.tensors
    .filter(({ quantise }) => quantise)
    .map(({ name }) => name.replace(/\.weight$/, ''));

  it('needs the target_modules that name its modules and no other', () => {
    expect(loraOf(adapter(linears), model, 'tiny')).toEqual({
      r: 2,
      lora_alpha: 4,
      lora_dropout: 0.1,
      use_rslora: true,
      use_dora: false,
      target_modules: 'all-linear',
    });
    const some = linears.filter((name) => /[qv]_proj$/.test(name));
    expect(loraOf(adapter(some), model, 'tiny').target_modules).toEqual(['q_proj', 'v_proj']);
    const one = ['model.layers.1.mlp.up_proj'];
    expect(loraOf(adapter(one), model, 'tiny').target_modules).toEqual(one);
  });

  it('is refused by name where it does not fit', () => {
    expect(() => loraOf(adapter(['model.layers.7.mlp.up_proj']), model, 'tiny')).toThrow(
      /changes model\.layers\.7\.mlp\.up_proj, which tiny does not have as a linear layer\. It was made for org\/other\./,
    );
    expect(() =>
      loraOf(
        adapter(['model.layers.0.mlp.up_proj'], ([r, width]) => [r, width + 1]),
        model,
        'tiny',
      ),
    ).toThrow(
      /model\.layers\.0\.mlp\.up_proj takes 25 and gives 40 values; that of tiny takes 24 and gives 40/,
    );
  });
});
