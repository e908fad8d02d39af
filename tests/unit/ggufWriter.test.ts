/** Files and blocks as gguf-py writes them, byte by byte (tests/interop/make_gguf_fixture.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loraGguf } from '../../src/export/gguf/loraGguf.ts';
import { ggufHeader, ggufTensorBytes, type GgufValue } from '../../src/formats/ggufWriter.ts';
import { toBfloat16, toFloat16 } from '../../src/quant/halfFloats.ts';
import { quantizeQ4_0, quantizeQ8_0 } from '../../src/quant/ggufQuantize.ts';

interface Fixture {
  blocks: Record<'values' | 'finite' | 'Q8_0' | 'Q4_0' | 'F16' | 'BF16', string>;
  adapter: {
    r: number;
    lora_alpha: number;
    heads: number;
    key_heads: number;
    tensors: Record<string, { shape: number[]; data: string }>;
    file: string;
  };
  metadata: { file: string };
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/gguf.json', import.meta.url), 'utf8'),
) as Fixture;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const floats = (text: string) => new Float32Array(bytes(text).buffer);
const raw = (halves: Uint16Array) => new Uint8Array(halves.buffer);

describe('blocks', () => {
  const { blocks } = fixture;

  it.each([
    ['Q8_0', quantizeQ8_0],
    ['Q4_0', quantizeQ4_0],
  ] as const)('are those of gguf-py: %s', (name, quantize) => {
    expect(quantize(floats(blocks.finite))).toEqual(bytes(blocks[name]));
  });

  it.each([
    ['F16', toFloat16],
    ['BF16', toBfloat16],
  ] as const)('of 16 bits are rounded as gguf-py rounds: %s', (name, round) => {
    expect(raw(round(floats(blocks.values)))).toEqual(bytes(blocks[name]));
  });
});

describe('a GGUF adapter', () => {
  const { adapter } = fixture;
  const tensors = new Map(
    Object.entries(adapter.tensors).map(([name, { shape, data }]) => [name, { shape, data: floats(data) }]),
  );
  const base = {
    model_type: 'llama',
    num_attention_heads: adapter.heads,
    num_key_value_heads: adapter.key_heads,
  };
  const settings = { r: adapter.r, lora_alpha: adapter.lora_alpha, use_rslora: false, use_dora: false };

  it('is the file that gguf-py writes, q and k rows reordered', () => {
    expect(loraGguf(tensors, settings, base, 'tiny')).toEqual(bytes(adapter.file));
  });

  it('carries the scale of a rank-stabilised adapter in its alpha', () => {
    const alpha = (use_rslora: boolean, lora_alpha: number) =>
      loraGguf(tensors, { ...settings, use_rslora, lora_alpha }, base, 'tiny');
    expect(alpha(true, 6)).toEqual(alpha(false, 6 * Math.sqrt(adapter.r)));
  });

  it('refuses what llama.cpp would compute otherwise or has no name for', () => {
    expect(() => loraGguf(tensors, { ...settings, use_dora: true }, base, 'tiny')).toThrow(/DoRA/);
    expect(() => loraGguf(tensors, settings, { ...base, model_type: 'odd' }, 'tiny')).toThrow(/no GGUF form/);
    const strange = new Map([
      ['base_model.model.model.layers.0.odd.lora_A.weight', { shape: [2, 16], data: new Float32Array(32) }],
    ]);
    expect(() => loraGguf(strange, settings, base, 'tiny')).toThrow(/layers\.0\.odd has no name/);
  });
});

describe('metadata', () => {
  it('is written as gguf-py writes each type', () => {
    const values: [string, GgufValue][] = [
      ['general.architecture', { type: 'string', value: 'qwen3' }],
      ['qwen3.block_count', { type: 'uint32', value: 3 }],
      ['a.negative', { type: 'int32', value: -7 }],
      ['qwen3.rope.freq_base', { type: 'float32', value: 1e6 }],
      ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
      ['general.name', { type: 'string', value: 'naïve 模型' }],
      ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: ['a', 'Ġb', '模', ''] }],
      ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: [1, 1, 3, 6] }],
      ['tokenizer.ggml.scores', { type: 'array', of: 'float32', value: [0, -1.5, -2, -1000] }],
    ];
    expect(ggufHeader(new Map(values), [])).toEqual(bytes(fixture.metadata.file));
  });

  it('refuses rows that are no whole blocks', () => {
    expect(() => ggufTensorBytes({ name: 'w', shape: [4, 40], type: 'Q8_0' })).toThrow(/no whole blocks/);
  });
});
