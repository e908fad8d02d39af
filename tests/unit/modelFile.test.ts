import { expect, it } from 'vitest';
import { modelFile } from '../../src/page/store/modelFile.ts';

it('names the file of a model by letters that every system takes', () => {
  const of = (name: string) => modelFile({ name, quantization: 'nf4' }).fileName;
  expect(of('HuggingFaceTB/SmolLM2-135M')).toBe('HuggingFaceTB-SmolLM2-135M.finetab');
  expect(of('../..')).toBe('model.finetab');
  expect(of('Modell für α')).toBe('Modell-für-α.finetab');
});

it('holds the recipe that finds the model again, and nothing else', () => {
  const { extras } = modelFile({ name: 'tiny', quantization: 'gguf' });
  expect(JSON.parse(extras.recipe)).toEqual({ model: 'tiny', quantization: 'gguf' });
  expect(extras.data).toEqual([]);
  expect(extras.lesson).toBeNull();
});
