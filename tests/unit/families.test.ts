/**
 * What each family's file makes of config.json, against transformers' own reading
 * (tests/interop/family_configs.json), and every kind of refusal.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dropoutKeys, modelOf } from '../../src/model/families/registry.ts';
import type { RopeSettings } from '../../src/model/ropeConfig.ts';
import { rotatedDim } from '../../src/model/ropeConfig.ts';
import { inverseFrequencies } from '../../src/model/ropeTable.ts';

interface Rope {
  inverse: number[];
  attention: number;
}

interface Resolved {
  heads: number;
  key_heads: number;
  head_dim: number;
  max_position_embeddings: number;
  rms_norm_eps: number;
  tie_word_embeddings: boolean;
  windows: number[];
  final_logit_softcapping: number;
  rope: Rope;
  local_rope?: Rope;
  long_rope?: Rope;
  query_pre_attn_scalar?: number;
  attn_logit_softcapping?: number;
  rotates?: boolean[];
}

interface Case {
  config: Record<string, unknown>;
  resolved: Resolved;
  count: number;
  tensors: Record<string, number[]>;
}

/** What the families' parsed configs have between them. */
interface Parsed {
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  num_hidden_layers: number;
  windows?: number[];
  layers?: { kind: string; headDim: number }[];
  sliding_window?: number | null;
  rope?: RopeSettings;
  globalRope?: RopeSettings;
  localRope?: RopeSettings;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../interop/family_configs.json', import.meta.url), 'utf8'),
) as { cases: Record<string, Case> };

function expectRope(settings: RopeSettings, headDim: number, expected: Rope, long = false): void {
  const inverse = inverseFrequencies(settings, rotatedDim(settings, headDim), long);
  expect(inverse.length).toBe(expected.inverse.length);
  inverse.forEach((value, i) =>
    expect(Math.abs(value - expected.inverse[i]), `frequency ${i}`).toBeLessThanOrEqual(
      3e-7 * expected.inverse[i],
    ),
  );
  expect('attention_factor' in settings.scaling ? settings.scaling.attention_factor : 1).toBeCloseTo(
    expected.attention,
    12,
  );
}

describe('config.json', () => {
  it.each(Object.entries(cases))(
    '%s is read as transformers reads it',
    (_, { config, resolved, count, tensors }) => {
      const model = modelOf(config);
      const parsed = model.config as unknown as Parsed;
      const { heads, key_heads, windows, rope, local_rope, long_rope, ...same } = resolved;
      expect(parsed).toMatchObject({ ...same, num_attention_heads: heads, num_key_value_heads: key_heads });
      expect(
        parsed.windows ?? Array.from({ length: parsed.num_hidden_layers }, () => parsed.sliding_window ?? 0),
      ).toEqual(windows);
      const globalDim = parsed.layers?.find(({ kind }) => kind === 'full_attention')?.headDim;
      expectRope((parsed.rope ?? parsed.globalRope)!, globalDim ?? parsed.head_dim, rope);
      if (local_rope) expectRope(parsed.localRope!, parsed.head_dim, local_rope);
      if (long_rope) expectRope(parsed.rope!, parsed.head_dim, long_rope, true);

      expect(model.tensors.length).toBe(count);
      const own = model.tensors.filter(
        ({ name }) => !name.includes('.layers.') || name.includes('.layers.0.'),
      );
      expect(Object.fromEntries(own.map(({ name, shape }) => [name, shape]))).toEqual(tensors);
      expect(model.headWeight).toBe(
        config.tie_word_embeddings === false || !resolved.tie_word_embeddings
          ? 'lm_head.weight'
          : 'model.embed_tokens.weight',
      );
    },
  );

  it('quantises every linear layer of the decoder and nothing else', () => {
    for (const { config } of Object.values(cases))
      for (const { name, quantise } of modelOf(config).tensors)
        expect(quantise, name).toBe(
          /(_proj|_proj_(qkv|[zab])|\.fc[12]|\.w[123]|\.layers.*\.per_layer_(input_gate|projection))\.weight$/.test(
            name,
          ),
        );
  });
});

const SIZES = {
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 4,
  vocab_size: 99,
};

describe('rotary settings', () => {
  const ropeOf = (more: Record<string, unknown>) =>
    (modelOf({ model_type: 'llama', ...SIZES, ...more }).config as unknown as { rope: RopeSettings }).rope;

  it('of type dynamic are plain ones, as in transformers up to max_position_embeddings', () => {
    const plain = ropeOf({ rope_theta: 5e5 });
    expect(ropeOf({ rope_theta: 5e5, rope_scaling: { type: 'dynamic', factor: 4 } })).toEqual(plain);
    expect(() => ropeOf({ rope_scaling: { rope_type: 'dynamic' } })).toThrow(/"factor" must be a positive/);
  });

  it('are those of rope_scaling where a config has rope_parameters as well', () => {
    const both = {
      rope_parameters: { rope_type: 'default', rope_theta: 5e5 },
      rope_scaling: { rope_type: 'linear', factor: 4 },
    };
    expect(ropeOf(both)).toMatchObject({ rope_theta: 1e4, scaling: { rope_type: 'linear', factor: 4 } });
    expect(ropeOf({ ...both, rope_scaling: null })).toMatchObject({ rope_theta: 5e5 });
  });
});

describe('the text part of a multimodal model', () => {
  it('has the sizes of its class where text_config leaves them out, as Gemma 3 and LLaVA do', () => {
    const gemma = modelOf({
      model_type: 'gemma3',
      text_config: {
        hidden_size: 2560,
        intermediate_size: 10240,
        model_type: 'gemma3_text',
        num_hidden_layers: 34,
        rope_scaling: { factor: 8, rope_type: 'linear' },
        sliding_window: 1024,
      },
      vision_config: {},
    });
    expect(gemma.config).toMatchObject({
      vocab_size: 262208,
      num_attention_heads: 8,
      num_key_value_heads: 4,
    });
    expect(gemma.config).toMatchObject({ head_dim: 256, hidden_size: 2560, tie_word_embeddings: true });
    const llava = modelOf({
      model_type: 'llava',
      text_config: { max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32064 },
      vision_config: {},
    });
    expect(llava.config).toMatchObject({ model_type: 'llama', vocab_size: 32064, hidden_size: 4096 });
    expect(llava.config).toMatchObject({ intermediate_size: 11008, num_hidden_layers: 32 });
    expect(llava.headWeight).toBe('lm_head.weight');
  });
});

it('names the dropout of a config that training leaves out', () => {
  expect(dropoutKeys({ attention_dropout: 0.1, resid_pdrop: 0 })).toEqual(['attention_dropout']);
  expect(dropoutKeys({ text_config: { embd_pdrop: 0.1 } })).toEqual(['embd_pdrop']);
  expect(dropoutKeys({})).toEqual([]);
});

describe('what is not supported is refused by its name', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no model_type', { ...SIZES }, /no "model_type"/],
    [
      'a model type',
      { model_type: 'gpt_neox' },
      /model_type "gpt_neox" is not supported.+Supported: llama, mistral, qwen2, .+, gemma3_text, gemma4_text, .+\./,
    ],
    [
      'a multimodal model whose text part is of its own kind',
      { model_type: 'mllama', text_config: {} },
      /model_type "mllama" is not supported\. It is a multimodal model: choose a text-only checkpoint, whose model_type is "llama"/,
    ],
    [
      'a mixture of experts by its type',
      { model_type: 'mixtral', num_local_experts: 8 },
      /model_type mixtral\): "num_local_experts" says that this is a mixture of experts/,
    ],
    [
      'a mixture of experts by its keys',
      { model_type: 'llama', ...SIZES, num_experts: 16 },
      /"num_experts" says that this is a mixture of experts/,
    ],
    [
      'GPTQ',
      { model_type: 'llama', ...SIZES, quantization_config: { quant_method: 'gptq', bits: 4 } },
      /quantised already \("gptq"\).+16-bit checkpoint/,
    ],
    [
      'AWQ',
      { model_type: 'qwen2', ...SIZES, quantization_config: { quant_method: 'awq' } },
      /quantised already \("awq"\)/,
    ],
    [
      'GGUF',
      { model_type: 'llama', ...SIZES, quantization_config: { quant_method: 'gguf' } },
      /quantised already \("gguf"\)/,
    ],
    [
      'an activation',
      { model_type: 'mistral', ...SIZES, hidden_act: 'gelu' },
      /model_type mistral\): "hidden_act" is "gelu"; supported: silu/,
    ],
    [
      "Gemma's other activation",
      { model_type: 'gemma2', ...SIZES, hidden_activation: 'gelu' },
      /"hidden_activation" is "gelu"; supported: gelu_pytorch_tanh/,
    ],
    [
      'a rope type',
      { model_type: 'llama', ...SIZES, rope_scaling: { rope_type: 'axial', factor: 2 } },
      /rope type "axial" is not supported \(default, linear, dynamic/,
    ],
    [
      'a rope setting that is missing',
      { model_type: 'llama', ...SIZES, rope_scaling: { type: 'linear' } },
      /rope setting "factor" must be a positive number, found null/,
    ],
    [
      'factors of the wrong length',
      {
        model_type: 'phi3',
        ...SIZES,
        rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] },
      },
      /"short_factor" must be a list of 8 numbers/,
    ],
    [
      'heads rotated in part',
      { model_type: 'qwen2', ...SIZES, partial_rotary_factor: 0.5 },
      /"partial_rotary_factor" is 0.5/,
    ],
    [
      'an odd number of rotated elements',
      { model_type: 'phi3', ...SIZES, partial_rotary_factor: 0.45 },
      /7 of the 16 elements of a head would be rotated/,
    ],
    [
      'attention both ways',
      { model_type: 'gemma3_text', ...SIZES, use_bidirectional_attention: true },
      /"use_bidirectional_attention" is true/,
    ],
    [
      'a kind of layer',
      {
        model_type: 'qwen3',
        ...SIZES,
        layer_types: ['full_attention', 'linear_attention', 'full_attention', 'full_attention'],
      },
      /"layer_types" names "linear_attention"/,
    ],
    [
      'too few layer types',
      { model_type: 'gemma2', ...SIZES, layer_types: ['full_attention'] },
      /"layer_types" must be a list of 4 names/,
    ],
    [
      'sliding layers without a window',
      { model_type: 'gemma2', ...SIZES, sliding_window: null },
      /layer 0 is of sliding attention, but the config gives no "sliding_window"/,
    ],
    [
      'heads that do not share keys evenly',
      { model_type: 'llama', ...SIZES, num_key_value_heads: 3 },
      /num_attention_heads 4 is not a multiple of num_key_value_heads 3/,
    ],
    ['odd heads', { model_type: 'llama', ...SIZES, head_dim: 15 }, /heads of 15 elements are not even/],
    [
      'a size that is missing',
      { model_type: 'smollm3', ...SIZES, intermediate_size: undefined },
      /"intermediate_size" must be a positive integer, found null/,
    ],
    [
      'a size that is no number',
      { model_type: 'phi3', ...SIZES, vocab_size: 'many' },
      /"vocab_size" must be a positive integer, found "many"/,
    ],
  ])('%s', (_, config, message) => {
    expect(() => modelOf(config)).toThrow(message);
  });
});
