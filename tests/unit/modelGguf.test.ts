/**
 * Merged models as GGUF files, read back by the project's own reader; by gguf-py in
 * tests/interop/gguf_models.py.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modelGguf } from '../../src/export/gguf/modelGguf.ts';
import { modelTokenizer } from '../../src/export/gguf/modelTokenizer.ts';
import { chooseTokenizer } from '../../src/export/gguf/tokenizerChoice.ts';
import { mergeDeltas, mergedRows } from '../../src/export/mergeAdapter.ts';
import { openCheckpoint, type SourceCheckpoint } from '../../src/formats/checkpoint.ts';
import { readPeftFolder } from '../../src/formats/peft.ts';
import type { WeightSource } from '../../src/formats/tensors.ts';
import { weightRows } from '../../src/formats/weightRows.ts';
import { streamingWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { floatsOf } from '../../src/quant/floatFormats.ts';
import { toFloat16 } from '../../src/quant/halfFloats.ts';
import { sharedPath } from '../helpers/shared.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';

const fixture = new URL('../fixtures/golden/llama3_2/', import.meta.url).pathname;
const blob = (path: string) => new Blob([readFileSync(path)]);
const weightsOf = (source: SourceCheckpoint) => streamingWeightSource(source, modelOf(source.config).tensors);

async function goldenModel(folder: string) {
  const source = await openCheckpoint(
    ['config.json', 'model.safetensors'].map((path) => ({ path, blob: blob(`${folder}/${path}`) })),
  );
  const adapter = await readPeftFolder(
    new Map(
      ['adapter_config.json', 'adapter_model.safetensors'].map((name) => [
        name,
        blob(`${folder}/adapter_trained/${name}`),
      ]),
    ),
  );
  const base = weightsOf(source);
  return { base, deltas: mergeDeltas(adapter.tensors, adapter.settings, base.tensors) };
}

async function reopened(made: Awaited<ReturnType<typeof modelGguf>>): Promise<SourceCheckpoint> {
  const pieces: Uint8Array[] = [];
  for await (const piece of made.pieces()) pieces.push(piece.slice());
  const file = new Blob(pieces as BlobPart[]);
  expect(file.size).toBe(made.bytes);
  return openCheckpoint([{ path: 'model.gguf', blob: file }]);
}

async function all(rows: AsyncIterable<{ values: Float32Array }>): Promise<Float32Array> {
  const values: number[] = [];
  for await (const piece of rows) for (const value of piece.values) values.push(value);
  return Float32Array.from(values);
}

const halves = (values: Float32Array) => floatsOf('F16', new Uint8Array(toFloat16(values).buffer));

const others = ['gemma3', 'lfm2', 'phi4_mini', 'olmo3'].flatMap((name) => sharedPath(`golden/${name}`) ?? []);

describe('a merged model as GGUF', () => {
  it.each([fixture, ...others])('reads back as the merged model: %s', async (folder) => {
    const { base, deltas } = await goldenModel(folder);
    expect(deltas.size).toBeGreaterThan(0);
    const made = await modelGguf({ base, deltas, texts: {}, name: 'tuned', fileType: 'F16' });
    const written = weightsOf(await reopened(made));
    expect([...written.tensors.keys()].sort()).toEqual([...base.tensors.keys()].sort());
    for (const [name, { shape }] of base.tensors) {
      const merged = await all(mergedRows(base, name, deltas));
      const inFile = await all(weightRows(written, name));
      if (shape.length !== 2) {
        // One added and taken away again, in float32, where norms are stored plus one.
        inFile.forEach((value, i) => expect(Math.abs(value - merged[i]), name).toBeLessThan(2 ** -22));
        continue;
      }
      expect(inFile, name).toEqual(halves(merged));
    }
    expect(made.notes.join()).toMatch(/no tokenizer/);
  });

  it.each([
    ['qwen2', /windows is \[0,4,4\]/],
    ['smollm3', /rotates is \[true,false,true\]/],
    ['nanochat', /nanochat model has no GGUF form/],
  ])('names what llama.cpp would run otherwise: %s', async (family, message) => {
    const config = TINY_FAMILIES[family];
    const base: WeightSource = {
      config,
      tensors: new Map(
        modelOf(config).tensors.map(({ name, shape }) => [name, { name, shape, kind: 'f32' as const }]),
      ),
      stream: () => {
        throw new Error('no weight may be read before the header is checked');
      },
    };
    const made = modelGguf({ base, deltas: new Map(), texts: {}, name: 'tuned', fileType: 'F16' });
    await expect(made).rejects.toThrow(message);
  });
});

describe('the tokenizer of a GGUF model', () => {
  const demo = (change: (json: Record<string, unknown>) => object = (json) => json) => {
    const read = (name: string) =>
      readFileSync(new URL(`../../public/demo/${name}`, import.meta.url), 'utf8');
    return {
      'tokenizer.json': JSON.stringify(change(JSON.parse(read('tokenizer.json')) as Record<string, unknown>)),
      'tokenizer_config.json': read('tokenizer_config.json'),
    };
  };
  const chosen = (files: Record<string, string>, rows: number) =>
    chooseTokenizer(modelTokenizer(files)!, rows, 'llama');

  it('says where llama.cpp splits texts otherwise', () => {
    const { keys, notes } = chosen(demo(), 1536);
    expect(keys.get('tokenizer.ggml.pre')).toMatchObject({ value: 'gpt-2' });
    expect(keys.get('tokenizer.ggml.eot_token_id')).toMatchObject({ value: 1 });
    expect(notes[0]).toMatch(
      /^Warning: llama.cpp splits \d of the \d+ texts .* id \d+ is \d+ instead of \d+/,
    );
  });

  it('is refused by name where even a plain question has other ids', () => {
    const lowered = demo((json) => ({ ...json, normalizer: { type: 'Lowercase' } }));
    expect(() => chosen(lowered, 1536)).toThrow(/normalizer "Lowercase".*cannot be exported as GGUF/);
    expect(() => chosen(demo(), 1000)).toThrow(/has the id \d+, but the model has 1000 embeddings/);
  });

  const stories = sharedPath('models/stories260K');
  it.skipIf(!stories)('has scores by which llama.cpp merges SentencePiece pieces (needs ../shared)', () => {
    const files = Object.fromEntries(
      ['tokenizer.json', 'tokenizer_config.json'].map((name) => [
        name,
        readFileSync(`${stories}/${name}`, 'utf8'),
      ]),
    );
    const { keys, notes } = chosen(files, 512);
    expect(keys.get('tokenizer.ggml.add_space_prefix')).toMatchObject({ value: true });
    expect(notes.filter((note) => note.startsWith('Warning'))).toEqual([]);
    const scores = keys.get('tokenizer.ggml.scores')!.value as readonly number[];
    expect(new Set(scores).size).toBe(152);
  });
});
