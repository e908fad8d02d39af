import { describe, expect, it } from 'vitest';
import { unzipSync } from 'fflate';
import { readPeftFolder, writePeftFolder } from '../../src/formats/peft.ts';
import { zipFolder } from '../../src/formats/zip.ts';
import { readIndependently } from '../helpers/independentReader.ts';

const A = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';
const B = 'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight';
const tensors = new Map([
  [A, { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6.5]) }],
  [B, { shape: [4, 2], data: new Float32Array([-1, 0, 1, 2, 3, 4, 5, 6]) }],
]);
const settings = { r: 2, lora_alpha: 4, lora_dropout: 0.1, use_rslora: true, use_dora: false, base_model_name_or_path: 'org/model' };
const written = () => writePeftFolder(tensors, settings, { 'tokenizer.json': '{}' }, '# card');

describe('PEFT folder', () => {
  it('holds what an independent reader of safetensors and JSON expects', () => {
    const files = written();
    expect([...files.keys()].sort()).toEqual(['README.md', 'adapter_config.json', 'adapter_model.safetensors', 'tokenizer.json']);
    const config = JSON.parse(new TextDecoder().decode(files.get('adapter_config.json'))) as Record<string, unknown>;
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
    const { config, tensors: read } = await readPeftFolder(blobs);
    expect(read).toEqual(tensors);
    expect(config.r).toBe(2);
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
    await expect(readPeftFolder(folder('{"peft_type":"LORA","r":8}'))).rejects.toThrow(/does not fit r = 8/);
  });
});
