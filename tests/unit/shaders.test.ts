/** Assembly of shader texts: constants, includes, repeated lines, directives. */
import { describe, expect, it } from 'vitest';
import { assembleShader, shaderBindings } from '../../src/gpu/shaders.ts';

const LORA_UP = { T: 5, WIDTH: 8, ROW: 24, OFFSET: 8, RANK: 8, QUARTERS: 2, TOKENS: 4, ALPHA: { f32: 2 } };

describe('assembleShader', () => {
  it('writes repeated lines out, once a turn', () => {
    const code = assembleShader('lora_up', LORA_UP);
    expect(code).not.toMatch(/^#|\$/m);
    for (const turn of [0, 1])
      for (const row of [0, 1, 2, 3])
        expect(code.match(new RegExp(`let b${turn}_${row} = `, 'g'))).toHaveLength(1);
    expect(code).not.toContain('b2_0');
    expect(code).toContain('const ALPHA: f32 = 2.0f;');
    expect(shaderBindings(code)).toEqual([
      { binding: 0, access: 'read_write' },
      { binding: 1, access: 'read' },
      { binding: 2, access: 'read' },
    ]);
  });

  it('nests repeats and takes quarters and rests of a turn', () => {
    const sizes = {
      TILE_M: 16,
      TILE_N: 64,
      PER_M: 8,
      PER_N: 4,
      HALF_M: 2,
      HALF_N: 1,
      THREADS: 32,
      A_LOADS: 2,
      B_LOADS: 8,
      B_FOURS: 1,
      B_SCALE_TERMS: 16,
    };
    const code = assembleShader('matmul_wide', {
      ...sizes,
      TILE: 'tile_f32',
      GROUP: 'single',
      C_WRITER: 'vector',
      C_TARGET: 'one',
      B_READER: 'plain',
      B_KIND: 'f32',
      A_SIDE: 'm',
      B_SIDE: 'n',
    });
    expect(code).not.toMatch(/^#|\$/m);
    expect(code).toContain('let row5 = vec4f(a1_0[1], a1_1[1], a1_2[1], a1_3[1]);');
    expect(code.match(/fma\(/g)).toHaveLength(4 * 8);
  });

  it('puts enable and diagnostic lines ahead of the constants', () => {
    const lines = assembleShader('dequantize_nf4_words', {
      COUNT: 64,
      TILE: 'tile_f16',
      B_KIND: 'nf4',
      MEMBERS: 0,
    }).split('\n');
    expect(lines[0]).toBe('enable f16;');
    expect(lines[1]).toBe('const COUNT: u32 = 64u;');
  });

  it('names what is missing', () => {
    expect(() => assembleShader('lora_up', { ...LORA_UP, QUARTERS: true })).toThrow(
      'lora_up: #repeat needs the number QUARTERS',
    );
    expect(() => assembleShader('dequantize_nf4_words', { COUNT: 64, TILE: 'tile_f32' })).toThrow(
      '#include needs the string constant B_KIND',
    );
  });
});
