/**
 * Reading GGUF: block formats against gguf-py's values, damaged and absurd headers, split files, blobs
 * without an ending.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { readGguf } from '../../src/formats/gguf/gguf.ts';
import { GGUF_FAMILIES } from '../../src/formats/gguf/ggufFamilies.ts';
import { permuteRows } from '../../src/formats/gguf/rowOrder.ts';
import { ggufArchitecture, ggufModuleName } from '../../src/formats/ggufNames.ts';
import { ggufPadding, writeGguf, type GgufMetadata, type GgufValue } from '../../src/formats/ggufWriter.ts';
import { weightValues } from '../../src/engine/tensorflow/weightValues.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { decodeBlocks, GGUF_FORMATS } from '../../src/quant/ggufBlocks.ts';
import { quantizeQ8_0 } from '../../src/quant/ggufQuantize.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';
import { tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

const { formats } = JSON.parse(
  readFileSync(new URL('../fixtures/ggufBlocks.json', import.meta.url), 'utf8'),
) as { formats: Record<string, { type: number; bytes: string; values: string }> };

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

describe('block formats', () => {
  it('are all in the fixture', () => {
    expect(Object.keys(formats).sort()).toEqual([...GGUF_FORMATS.values()].map(({ name }) => name).sort());
  });

  it.each(Object.entries(formats))(
    "%s gives gguf-py's values to the bit",
    (name, { type, bytes, values }) => {
      const format = GGUF_FORMATS.get(type)!;
      expect(format.name).toBe(name);
      const expected = new Float32Array(fromBase64(values).buffer);
      expect(decodeBlocks(format, fromBase64(bytes))).toEqual(expected);
    },
  );
});

const string = (value: string): GgufValue => ({ type: 'string', value });
const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });

/** The keys that every architecture has, of a tiny config. */
function metadataOf(architecture: string, config: Record<string, unknown>): Map<string, GgufValue> {
  const own = (key: string) => `${architecture}.${key}`;
  const size = (key: string) => uint32(config[key] as number);
  const letters = Array.from({ length: 255 }, (_, i) => `letter ${i}`);
  const special = ['<s>', '</s>', '<|user|>', '<|assistant|>', '<|system|>', '<pad>', '<unk>'];
  return new Map<string, GgufValue>([
    ['general.architecture', string(architecture)],
    [own('block_count'), size('num_hidden_layers')],
    [own('context_length'), size('max_position_embeddings')],
    [own('embedding_length'), size('hidden_size')],
    [own('feed_forward_length'), size('intermediate_size')],
    [own('attention.head_count'), size('num_attention_heads')],
    [own('attention.head_count_kv'), size('num_key_value_heads')],
    [own('attention.layer_norm_rms_epsilon'), { type: 'float32', value: config.rms_norm_eps as number }],
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('gpt-2')],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: [...letters, ...special] }],
    ['tokenizer.ggml.merges', { type: 'array', of: 'string', value: [] }],
    ['tokenizer.chat_template', string('{{ messages }}')],
  ]);
}

type Tensors = Parameters<typeof writeGguf>[1];

/** The tiny model as llama.cpp's converter would write it, in float32. */
function ggufOf(
  config: Record<string, unknown>,
  more: Record<string, GgufValue>,
): { metadata: GgufMetadata; tensors: Tensors } {
  const architecture = ggufArchitecture(config.model_type as string);
  const metadata = new Map([...metadataOf(architecture.name, config), ...Object.entries(more)]);
  const headDim =
    (config.head_dim as number | undefined) ??
    (config.hidden_size as number) / (config.num_attention_heads as number);
  const tensors = [...tinyWeights(config)].map(([name, { shape, data }]) => {
    const [, module, part] = /^(.*)\.(weight|bias)$/.exec(name)!;
    let values = data as Float32Array;
    if (architecture.permutesQueryKey && /[qk]_proj$/.test(module))
      values = permuteRows(values, shape[0], values.length / shape[0], shape[0] / headDim);
    if (architecture.normPlusOne && module.endsWith('norm')) values = values.map((value) => value + 1);
    return {
      name: `${ggufModuleName(module, architecture)}.${part}`,
      shape: shape.length === 3 ? [shape[0], shape[2]] : shape,
      type: 'F32' as const,
      data: new Uint8Array(values.slice().buffer),
    };
  });
  return { metadata, tensors };
}

const fileOf = (bytes: Uint8Array, path = 'model.gguf'): NamedFile => ({
  path,
  blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
});

async function weightsOf(files: readonly NamedFile[]): Promise<Record<string, Float32Array>> {
  const checkpoint = await openCheckpoint(files);
  const source = memoryWeightSource(checkpoint, modelOf(checkpoint.config).tensors, 'none');
  const weights: Record<string, Float32Array> = {};
  for (const name of source.tensors.keys()) {
    const bytes: number[] = [];
    for await (const chunk of source.stream(name)) bytes.push(...chunk.bytes);
    weights[name] = new Float32Array(Uint8Array.from(bytes).buffer);
  }
  return weights;
}

/** Settings of the tiny configs that a GGUF has no key for are left at the family's own. */
const FAMILIES: Record<string, { config: Record<string, unknown>; keys: Record<string, GgufValue> }> = {
  llama: { config: { attention_bias: false, mlp_bias: false }, keys: {} },
  qwen2: {
    config: { use_sliding_window: false, tie_word_embeddings: true },
    keys: { 'qwen2.rope.freq_base': { type: 'float32', value: 5000 } },
  },
  qwen3: {
    config: { use_sliding_window: false },
    keys: { 'qwen3.attention.key_length': uint32(10), 'qwen3.attention.value_length': uint32(10) },
  },
  smollm3: { config: { no_rope_layer_interval: 4, use_sliding_window: false }, keys: {} },
  granite: {
    config: { mlp_bias: false },
    keys: {
      'granite.embedding_scale': { type: 'float32', value: 3 },
      'granite.attention.scale': { type: 'float32', value: 0.25 },
      'granite.residual_scale': { type: 'float32', value: 0.5 },
      'granite.logit_scale': { type: 'float32', value: 2 },
    },
  },
  gemma2: {
    config: {},
    keys: { 'gemma2.attention.key_length': uint32(6), 'gemma2.attention.sliding_window': uint32(5) },
  },
  gemma3_text: {
    config: {},
    keys: { 'gemma3.attention.key_length': uint32(8), 'gemma3.attention.sliding_window': uint32(5) },
  },
  phi3: {
    config: {},
    keys: { 'phi3.rope.dimension_count': uint32(6), 'phi3.attention.sliding_window': uint32(5) },
  },
  olmo2: { config: {}, keys: {} },
  exaone4: { config: {}, keys: {} },
  ernie4_5: { config: {}, keys: { 'ernie4_5.attention.key_length': uint32(10) } },
  hunyuan_v1_dense: {
    config: { attention_bias: false },
    keys: { 'hunyuan-dense.attention.key_length': uint32(12) },
  },
  lfm2: {
    config: { block_auto_adjust_ff_dim: false },
    keys: {
      'lfm2.shortconv.l_cache': uint32(3),
      'lfm2.attention.head_count_kv': { type: 'array', of: 'int32', value: [0, 1, 0] },
    },
  },
};

describe('a model of every family', () => {
  it('is here', () => {
    expect([...Object.keys(FAMILIES), ...Object.keys(LAYERED)].sort()).toEqual(
      [...GGUF_FAMILIES.values()].map((f) => f.modelType).sort(),
    );
  });

  it.each(Object.entries(FAMILIES))('%s is read back', async (family, { config: more, keys }) => {
    const config = { ...TINY_FAMILIES[family], ...more };
    const { metadata, tensors } = ggufOf(config, keys);
    const gguf = fileOf(writeGguf(metadata, tensors));
    const plain = await weightsOf(tinyModelFiles({}, config));
    const mine = await weightsOf([gguf]);
    expect(Object.keys(mine).sort()).toEqual(Object.keys(plain).sort());
    for (const [name, values] of Object.entries(plain)) {
      // A norm that was stored plus one has lost what one more bit held.
      const bound = /norm/.test(name) ? 2e-7 : 0;
      expect(mine[name].length, name).toBe(values.length);
      expect(
        values.findIndex((value, i) => !(Math.abs(mine[name][i] - value) <= bound)),
        name,
      ).toBe(-1);
    }
    const { config: read } = modelOf((await openCheckpoint([gguf])).config);
    expect(read).toMatchObject({
      model_type: family,
      hidden_size: config.hidden_size,
      num_hidden_layers: config.num_hidden_layers,
    });
    for (const key of ['conv_L_cache', 'embedding_multiplier', 'residual_multiplier', 'logits_scaling'])
      if (key in config && key !== 'residual_multiplier')
        expect(read, key).toMatchObject({ [key]: config[key as keyof typeof config] });
  });
});

/** Files that gguf-py wrote (tests/interop/gguf_families.py), and what they say of their models. */
const LAYERED: Record<string, { file: string; config: Record<string, unknown> }> = {
  qwen3_5_text: {
    file: 'qwen3_5',
    config: {
      layer_types: ['linear_attention', 'full_attention'],
      heads: { keyHeads: 2, valueHeads: 4, keyDim: 8, valueDim: 32 },
      linear_conv_kernel_dim: 4,
      rope: { rope_theta: 1e7, partial_rotary_factor: 0.25 },
    },
  },
  gemma4_text: {
    file: 'gemma4',
    config: {
      layers: [
        { kind: 'sliding_attention', headDim: 4, keyHeads: 1, intermediate: 8, sharedFrom: null },
        { kind: 'full_attention', headDim: 8, keyHeads: 1, intermediate: 8, sharedFrom: null },
        { kind: 'full_attention', headDim: 8, keyHeads: 1, intermediate: 16, sharedFrom: 1 },
      ],
      windows: [5, 0, 0],
      hidden_size_per_layer_input: 4,
      vocab_size_per_layer_input: 16,
      final_logit_softcapping: 30,
      localRope: { rope_theta: 1e4, scaling: { rope_type: 'default' } },
      globalRope: { rope_theta: 1e6, scaling: { rope_type: 'proportional', proportion: 0.5 } },
    },
  },
  ministral3: {
    file: 'ministral3',
    config: {
      sliding_window: null,
      rope: {
        rope_theta: 1e6,
        scaling: { rope_type: 'yarn', factor: 4, attention_factor: 1, beta_fast: 32 },
      },
      queryRope: { positionScale: { beta: 0.25, original: 32 } },
    },
  },
};

describe('a model whose layers differ, as gguf-py writes it', () => {
  const fixture = (name: string) =>
    fileOf(readFileSync(new URL(`../fixtures/gguf/${name}.gguf`, import.meta.url)));
  /** Element i of every tensor, as the script made them. */
  const expected = (name: string, length: number) =>
    Float32Array.from({ length }, (_, i) => (((37 * i + 11 * name.length) % 101) - 50) / 64);

  it.each(Object.entries(LAYERED))('%s has its settings and weights', async (family, { file, config }) => {
    const checkpoint = await openCheckpoint([fixture(file)]);
    const model = modelOf(checkpoint.config);
    expect(model.config).toMatchObject({ model_type: family, ...config });
    const weights = await weightsOf([fixture(file)]);
    expect(Object.keys(weights).sort()).toEqual(model.tensors.map(({ name }) => name).sort());
    for (const { name, shape } of model.tensors) {
      const { gguf } = checkpoint.tensors.get(name)!;
      const { name: format, elements } = GGUF_FORMATS.get(gguf!.ggmlType)!;
      let values: Float32Array = expected(
        name,
        shape.reduce((a, b) => a * b, 1),
      );
      // A block lies within a head, so that the order of heads changes no block.
      if (elements > 1) values = decodeBlocks(GGUF_FORMATS.get(gguf!.ggmlType)!, quantizeQ8_0(values));
      // ln(exp x) in float32; and a norm that was stored plus one.
      const bound = name.endsWith('A_log') ? 1e-6 : 0;
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(weights[name][i] - value)), 0);
      expect(worst, `${name} ${format}`).toBeLessThanOrEqual(bound);
    }
  });

  it('keeps the blocks of heads that change their places', async () => {
    const checkpoint = await openCheckpoint([fixture('qwen3_5')]);
    const { tensors } = modelOf(checkpoint.config);
    const [kept, plain] = (['gguf', 'none'] as const).map((quantization) =>
      memoryWeightSource(checkpoint, tensors, quantization),
    );
    for (const module of ['in_proj_qkv', 'in_proj_z', 'in_proj_a', 'out_proj']) {
      const name = `model.layers.0.linear_attn.${module}.weight`;
      expect(kept.tensors.get(name)!.kind, module).toBe('Q8_0');
      expect(await weightValues(kept, name), module).toEqual(await weightValues(plain, name));
    }
    // Heads that are no whole blocks are kept in float32.
    const storage = checkpoint.tensors.get('model.layers.0.linear_attn.out_proj.weight')!.gguf!;
    storage.headOrder = { ...storage.headOrder!, size: 16 };
    expect(
      memoryWeightSource(checkpoint, tensors, 'gguf').tensors.get(
        'model.layers.0.linear_attn.out_proj.weight',
      )!.kind,
    ).toBe('f32');
  });
});

const LLAMA = ggufOf({ ...TINY_FAMILIES.llama, ...FAMILIES.llama.config }, {});
const WHOLE = writeGguf(LLAMA.metadata, LLAMA.tensors);

describe('settings', () => {
  const configOf = async (keys: Record<string, GgufValue>, tensors = LLAMA.tensors) =>
    (
      await openCheckpoint([
        fileOf(writeGguf(new Map([...LLAMA.metadata, ...Object.entries(keys)]), tensors)),
      ])
    ).config;
  const divisors = (values: number[]): Tensors[number] => ({
    name: 'rope_freqs.weight',
    shape: [values.length],
    type: 'F32',
    data: new Uint8Array(new Float32Array(values).buffer),
  });

  it('take rope scaling by its type', async () => {
    expect(
      await configOf({
        'llama.rope.scaling.type': string('yarn'),
        'llama.rope.scaling.factor': { type: 'float32', value: 4 },
        'llama.rope.scaling.original_context_length': uint32(64),
      }),
    ).toMatchObject({
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
    });
    await expect(
      configOf({
        'llama.rope.scaling.type': string('strange'),
        'llama.rope.scaling.factor': { type: 'float32', value: 4 },
      }),
    ).rejects.toThrow(/llama\.rope\.scaling\.type "strange" is not supported/);
  });

  it("take rope_freqs for Llama 3's scaling where its formula gives them, else for what they are", async () => {
    // theta 10000, head_dim 8: wavelengths 6.3, 62.8, 628, 6283; original 64, factor 8.
    const smooth = (64 / (2 * Math.PI * 10) - 1) / 3;
    const llama3 = [1, 1 / ((1 - smooth) / 8 + smooth), 8, 8];
    expect(await configOf({}, [...LLAMA.tensors, divisors(llama3)])).toMatchObject({
      rope_scaling: { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 64 },
    });
    expect(await configOf({}, [...LLAMA.tensors, divisors([1, 2, 3, 4])])).toMatchObject({
      rope_scaling: { rope_type: 'longrope', long_factor: [1, 2, 3, 4], attention_factor: 1 },
    });
  });

  it('refuse an unknown architecture, pre-tokenizer or tokenizer, and experts, by name', async () => {
    await expect(configOf({ 'general.architecture': string('gptj') })).rejects.toThrow(
      /general\.architecture is "gptj", which Finetab does not read from GGUF\. Read: llama, /,
    );
    await expect(configOf({ 'tokenizer.ggml.pre': string('novel') })).rejects.toThrow(
      /tokenizer\.ggml\.pre is "novel"/,
    );
    await expect(configOf({ 'tokenizer.ggml.model': string('bert') })).rejects.toThrow(
      /tokenizer\.ggml\.model is "bert"/,
    );
    expect(() => modelOf({ ...TINY_FAMILIES.llama, num_local_experts: 8 })).toThrow(/mixture of experts/);
    expect(await configOf({ 'llama.expert_count': uint32(8) })).toMatchObject({ num_local_experts: 8 });
  });
});

describe('files', () => {
  it('are found by how they begin where they have no ending', async () => {
    const blob = fileOf(WHOLE, 'sha256-74701a8c35f6c8d9a4b91f3f3497643001d63e0c7a84e085bed452548fa88d45');
    expect((await openCheckpoint([blob])).gguf).toBe(true);
  });

  it('that were split are put together, and a missing part is named', async () => {
    const part = (no: number, tensors: Tensors) =>
      fileOf(
        writeGguf(
          new Map<string, GgufValue>([
            ...(no === 0 ? LLAMA.metadata : []),
            ['split.no', uint32(no)],
            ['split.count', uint32(2)],
            ['split.tensors.count', { type: 'int32', value: LLAMA.tensors.length }],
          ]),
          tensors,
        ),
        `model-0000${no + 1}-of-00002.gguf`,
      );
    const parts = [part(1, LLAMA.tensors.slice(3)), part(0, LLAMA.tensors.slice(0, 3))];
    expect(await weightsOf(parts)).toEqual(await weightsOf([fileOf(WHOLE)]));
    await expect(openCheckpoint([parts[1]])).rejects.toThrow(/one of 2 parts of a model; missing: part 2/);
    await expect(openCheckpoint([fileOf(WHOLE, 'a.gguf'), fileOf(WHOLE, 'b.gguf')])).rejects.toThrow(
      /2 GGUF files that are no parts of one model \(a\.gguf, b\.gguf\)/,
    );
  });

  /** The file with `count` bytes at `at` replaced by a little-endian number. */
  const edited = (at: number, count: 4 | 8, value: bigint) => {
    const bytes = WHOLE.slice();
    const view = new DataView(bytes.buffer);
    if (count === 4) view.setUint32(at, Number(value), true);
    else view.setBigUint64(at, value, true);
    return new Blob([bytes]);
  };
  const firstKey = 24;

  it.each<[string, Blob, RegExp]>([
    ['another file', edited(0, 4, 1n), /not a GGUF file/],
    ['version 1', edited(4, 4, 1n), /GGUF version 1; Finetab reads 2 and 3/],
    ['the other byte order', edited(4, 4, 0x03000000n), /big-endian/],
    ['absurdly many tensors', edited(8, 8, 1n << 40n), /its number of tensors is 1099511627776, more than/],
    [
      'a count beyond numbers',
      edited(8, 8, (1n << 63n) + 1n),
      /its number of tensors is 9223372036854775809/,
    ],
    ['absurdly many keys', edited(16, 8, 70000n), /its number of metadata keys is 70000, more than/],
    ['a key of an absurd length', edited(firstKey, 8, 1n << 50n), /the length of the name of metadata key 0/],
    [
      'a value of an unknown type',
      edited(firstKey + 8 + 'general.architecture'.length, 4, 99n),
      /general\.architecture has the unknown type 99/,
    ],
    [
      'a file cut inside its header',
      new Blob([WHOLE.slice(0, 40)]),
      /cut off inside its header|more than the file can hold/,
    ],
    [
      'a file cut inside its data',
      new Blob([WHOLE.slice(0, -64)]),
      /cut off: \d+ bytes are missing, from tensor/,
    ],
  ])('%s', async (_, blob, message) => {
    await expect(readGguf(blob, 'model.gguf')).rejects.toThrow(message);
  });

  it('whose tensors are of a type that is not read, overlap, or have broken rows', async () => {
    const header = (entry: { type: number; offset: number; width: number }) => {
      const bytes = new Uint8Array(4096);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 0x46554747, true);
      view.setUint32(4, 3, true);
      view.setBigUint64(8, 2n, true);
      let at = 24;
      for (const [i, name] of ['a', 'b'].entries()) {
        view.setBigUint64(at, 1n, true);
        bytes[at + 8] = name.charCodeAt(0);
        view.setUint32(at + 9, 1, true);
        view.setBigUint64(at + 13, BigInt(entry.width), true);
        view.setUint32(at + 21, entry.type, true);
        view.setBigUint64(at + 25, BigInt(i * entry.offset), true);
        at += 33;
      }
      return new Blob([bytes]);
    };
    const read = (entry: Parameters<typeof header>[0]) => readGguf(header(entry), 'x.gguf');
    expect((await read({ type: 0, offset: 64, width: 16 })).tensors.map(({ begin }) => begin)).toEqual([
      96, 160,
    ]);
    await expect(read({ type: 16, offset: 64, width: 256 })).rejects.toThrow(
      /tensor a is quantised as IQ2_XXS, which Finetab does not read/,
    );
    await expect(read({ type: 0, offset: 32, width: 16 })).rejects.toThrow(/tensors a and b overlap/);
    await expect(read({ type: 0, offset: 68, width: 16 })).rejects.toThrow(/no multiple of 32/);
    await expect(read({ type: 8, offset: 64, width: 40 })).rejects.toThrow(/no whole Q8_0 blocks/);
    expect(ggufPadding(33)).toBe(31);
  });
});
