/** Numbers of config.json that would fill the memory, or that the GPU cannot hold. */
import { describe, expect, it } from 'vitest';
import { refuseBeyondDynamicRope } from '../../scripts/lib/dynamicRope.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { checkLayers } from '../../src/import/checks/checkLayers.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

describe('config.json', () => {
  it.each([3, 1_000_000, 2_147_483_648, 1e12, '1e9'])(
    'that asks for %s layers of files with 2',
    async (num_hidden_layers) => {
      const config = JSON.stringify({ ...TINY_CONFIG, num_hidden_layers });
      const source = await openCheckpoint(tinyModelFiles({ 'config.json': config }));
      expect(() => checkLayers(source)).toThrow(
        /asks for \d+ layers \("num_hidden_layers"\), but the files have 2/,
      );
    },
  );

  it('counts the layers of the text part', async () => {
    const config = JSON.stringify({ model_type: 'x', text_config: { ...TINY_CONFIG, num_hidden_layers: 9 } });
    const source = await openCheckpoint(tinyModelFiles({ 'config.json': config }));
    expect(() => checkLayers(source)).toThrow(/asks for 9 layers/);
  });

  it('is refused without its files as well, by the key', () => {
    const read = (change: object) => () => modelOf({ ...TINY_CONFIG, ...change });
    expect(read({ num_hidden_layers: 1e6 })).toThrow(
      /"num_hidden_layers" is 1000000, no model has more than 4096/,
    );
    expect(read({ vocab_size: 1e12 })).toThrow(/"vocab_size" is 1000000000000, no model has more/);
    expect(read({ rope_theta: 1e308 })).toThrow(/"rope_theta" is 1e\+308, which float32 cannot hold/);
    expect(read({ rms_norm_eps: 1e-320 })).toThrow(/"rms_norm_eps" is .*, which float32 cannot hold/);
  });
});

describe('a reference whose rows are beyond the positions of its model', () => {
  const ropes: [string, object][] = [
    ['rope_scaling', { rope_scaling: { type: 'dynamic', factor: 2 } }],
    ['rope_parameters', { rope_parameters: { rope_type: 'dynamic', factor: 2, rope_theta: 1e4 } }],
  ];
  const known = TINY_CONFIG.max_position_embeddings;

  it.each(ropes)('is refused where its rope is dynamic: %s', (_, change) => {
    const config = { ...TINY_CONFIG, ...change };
    expect(() => refuseBeyondDynamicRope(config, known + 1)).toThrow(
      new RegExp(`${known + 1} tokens is longer than the ${known} positions`),
    );
    refuseBeyondDynamicRope(config, known);
  });

  it('is computed where its rope is the same for all lengths', () => {
    refuseBeyondDynamicRope(TINY_CONFIG, known + 1);
    refuseBeyondDynamicRope({ ...TINY_CONFIG, rope_scaling: { rope_type: 'linear', factor: 2 } }, known + 1);
  });
});
