/** Blocks as ggml makes them, byte by byte (tests/interop/make_k_quants.py), and which tensors get which. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensorType } from '../../src/export/gguf/tensorEncoding.ts';
import { decodeBlocks, GGUF_BLOCKS } from '../../src/quant/ggufBlocks.ts';
import { quantizeQ5_0 } from '../../src/quant/ggufQuantize.ts';
import { quantizeQ4_K } from '../../src/quant/quantizeQ4K.ts';
import { quantizeQ6_K } from '../../src/quant/quantizeQ6K.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/kQuants.json', import.meta.url), 'utf8'),
) as Record<'values' | 'Q4_K' | 'Q6_K' | 'Q5_0', string>;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const values = new Float32Array(bytes(fixture.values).buffer);

describe('blocks', () => {
  it.each([
    ['Q4_K', quantizeQ4_K, 0.08],
    ['Q6_K', quantizeQ6_K, 0.02],
    ['Q5_0', quantizeQ5_0, 0.05],
  ] as const)('are those of ggml: %s', (name, quantize, bound) => {
    const made = quantize(values);
    expect(made).toEqual(bytes(fixture[name]));
    const read = decodeBlocks(GGUF_BLOCKS.get(name)!, made);
    // Of the normally distributed row.
    const off = read.subarray(512, 768).map((value, i) => Math.abs(value - values[512 + i]));
    expect(Math.max(...off)).toBeLessThan(bound * Math.max(...values.subarray(512, 768)));
  });

  it('of a part of a block are refused', () => {
    expect(() => quantizeQ4_K(new Float32Array(128))).toThrow(/no whole blocks of 256/);
  });
});

describe('Q4_K_M', () => {
  const layers = 12;
  const names = [
    'token_embd.weight',
    'output.weight',
    ...Array.from({ length: layers }, (_, i) =>
      ['attn_q', 'attn_v', 'ffn_down', 'attn_norm'].map((part) => `blk.${i}.${part}.weight`),
    ).flat(),
  ];
  const typeOf = (name: string, width = 512, tied = false) =>
    tensorType(name, name.includes('norm') ? [width] : [64, width], 'Q4_K_M', { tied, names });

  it('gives more bits to the layers to which llama.cpp gives them', () => {
    const more = names.filter((name) => name.startsWith('blk.') && typeOf(name) === 'Q6_K');
    // i < 12/8, i >= 7·12/8 or (i - 1) % 3 == 2, for values and down projections alike.
    const wanted = [0, 3, 6, 9, 10, 11].flatMap((i) => [
      `blk.${i}.attn_v.weight`,
      `blk.${i}.ffn_down.weight`,
    ]);
    expect(more).toEqual(wanted);
    expect(typeOf('blk.4.attn_q.weight')).toBe('Q4_K');
    expect(typeOf('blk.4.attn_norm.weight')).toBe('F32');
    expect([typeOf('output.weight'), typeOf('token_embd.weight')]).toEqual(['Q6_K', 'Q4_K']);
    expect(typeOf('token_embd.weight', 512, true)).toBe('Q6_K');
  });

  it('takes blocks of 32 for rows that are no blocks of 256, and float16 for others', () => {
    expect(typeOf('blk.4.attn_q.weight', 576)).toBe('Q5_0');
    expect(typeOf('blk.0.attn_v.weight', 576)).toBe('Q8_0');
    expect(typeOf('blk.0.attn_v.weight', 40)).toBe('F16');
  });
});
