/** The parsers under generated input: each a real file, how it is changed, and what reads it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { openRecords } from '../../../src/data/files/readRecords.ts';
import { ChatTemplate } from '../../../src/data/template/chatTemplate.ts';
import { ChatTokenizer } from '../../../src/data/tokenizer/chatTokenizer.ts';
import { openCheckpoint } from '../../../src/formats/checkpoint.ts';
import { readGguf } from '../../../src/formats/gguf/gguf.ts';
import { readPeftFolder } from '../../../src/formats/peft.ts';
import { readSafetensorsHeader, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { checkLayers } from '../../../src/import/checks/checkLayers.ts';

import { planTensors } from '../../../src/import/planTensors.ts';
import { withModelNames } from '../../../src/import/tensorNames.ts';
import { modelOf } from '../../../src/model/families/registry.ts';
import { recipeLink, recipeOfLink } from '../../../src/page/recipe/shareLink.ts';
import { parseRecipe } from '../../../src/training/recipe.ts';
import { tinyModelFiles } from '../../../tests/helpers/tinyModel.ts';
import { root } from '../site.ts';
import {
  byteChanges,
  changeBytes,
  changeJson,
  jsonChanges,
  type ByteChange,
  type JsonChange,
} from './mutations.ts';

/** A parser: inputs as data, and what it does with one. */
export interface Target<T = unknown> {
  name: string;
  /** What is not changed, and must be accepted: a target that refuses it tests nothing. */
  base: T;
  inputs: fc.Arbitrary<T>;
  run(input: T): Promise<void> | void;
}

const fixture = async (path: string) => new Uint8Array(await readFile(join(root, path)));
const json = async (path: string) => JSON.parse((await readFile(join(root, path))).toString()) as unknown;
const text = (value: unknown) => JSON.stringify(value);
const named = (path: string, content: Uint8Array<ArrayBuffer> | string) => ({
  path,
  blob: new Blob([content]),
});

/** A target whose input is a file with changed bytes. */
function ofBytes(
  name: string,
  base: Uint8Array,
  read: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>,
  head?: number,
): Target<ByteChange[]> {
  return {
    name,
    base: [],
    inputs: byteChanges,
    run: async (changes) => void (await read(changeBytes(base, changes, head))),
  };
}

/** A target whose input is a changed JSON value. */
function ofJson(
  name: string,
  base: unknown,
  read: (value: unknown) => unknown,
  depth?: number,
): Target<JsonChange[]> {
  return {
    name,
    base: [],
    inputs: jsonChanges,
    run: async (changes) => void (await read(changeJson(base, changes, depth))),
  };
}

const MESSAGES = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: 'Hi there, 123 Ünïcödé 🙂' },
  { role: 'assistant' as const, content: ' Hello\n\n!' },
];

async function bytesOf(files: ReturnType<typeof tinyModelFiles>, name: string): Promise<Uint8Array> {
  return new Uint8Array(await files.find(({ path }) => path.split('/').at(-1) === name)!.blob.arrayBuffer());
}

/** What an import does before it reads weights. */
async function open(files: { path: string; blob: Blob }[]): Promise<void> {
  const source = await openCheckpoint(files);
  checkLayers(source);
  const { tensors } = modelOf(source.config);
  planTensors(withModelNames(source, tensors), tensors, 'nf4');
}

export async function makeTargets(): Promise<Target[]> {
  const tiny = tinyModelFiles();
  const safetensors = await bytesOf(tiny, 'model.safetensors');
  const config = JSON.parse(new TextDecoder().decode(await bytesOf(tiny, 'config.json'))) as unknown;
  const demo = {
    tokenizer: await json('public/demo/tokenizer.json'),
    settings: await json('public/demo/tokenizer_config.json'),
  };
  const tinyTokenizer = JSON.parse(
    new TextDecoder().decode(await bytesOf(tiny, 'tokenizer.json')),
  ) as unknown;
  const templates = await templateSources('tests/fixtures/chat-templates');
  const bnb = 'tests/fixtures/bitsandbytes/double';
  const bnbWeights = await fixture(`${bnb}/model.safetensors`);
  const bnbConfig = (await readFile(join(root, bnb, 'config.json'))).toString();
  const rows =
    '{"query":"a","response":"b"}\n{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n[1]\n';
  const csv = 'query,response\n"a, ""b""",c\nd,"e\nf"\n';
  const parquet = await fixture('tests/fixtures/pairs.snappy.parquet');
  const zstd = await fixture('tests/fixtures/chat.zstd.parquet');
  const encode = (value: string) => new TextEncoder().encode(value);
  const data = (name: string) => async (bytes: Uint8Array<ArrayBuffer>) => {
    const source = await openRecords(new Blob([bytes]), name);
    for await (const record of source.read()) void record;
  };
  const tokenize = (tokenizer: unknown, settings: unknown) => {
    const made = new ChatTokenizer({
      'tokenizer.json': text(tokenizer),
      'tokenizer_config.json': text(settings),
      'config.json': text({ vocab_size: 4096 }),
    });
    made.encode(MESSAGES.map(({ content }) => content).join(''));
  };
  const lora = {
    peft_type: 'LORA',
    r: 2,
    lora_alpha: 4,
    target_modules: ['q_proj'],
    base_model_name_or_path: 'x',
    bias: 'none',
  };
  const matrix = (shape: number[]) => ({
    dtype: 'F32' as const,
    shape,
    data: new Float32Array(shape[0] * shape[1]),
  });
  const adapter = writeSafetensors(
    new Map([
      ['base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight', matrix([2, 4])],
      ['base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight', matrix([4, 2])],
    ]),
  );
  const peft = (settings: string, weights: Uint8Array<ArrayBuffer>) =>
    readPeftFolder(
      new Map([
        ['adapter_config.json', new Blob([settings])],
        ['adapter_model.safetensors', new Blob([weights])],
      ]),
    );
  const recipe = parseRecipe({
    model: 'a/b',
    validation_files: ['x.val.jsonl'],
    columns: { '*': { text: 't' } },
  });
  const link = new URL(recipeLink(recipe, 'http://x/')).hash;
  const gguf = await ggufBytes();
  const targets = [
    ofBytes('safetensors', safetensors, (bytes) => readSafetensorsHeader(new Blob([bytes]), 'a'), 3000),
    ofJson('config', config, (value) =>
      open([
        ...tiny.filter(({ path }) => path.split('/').at(-1) !== 'config.json'),
        named('config.json', text(value)),
      ]),
    ),
    ofJson('tokenizer (byte-level)', tinyTokenizer, (value) => tokenize(value, demo.settings)),
    ofJson('tokenizer (demo)', demo.tokenizer, (value) => tokenize(value, demo.settings), 4),
    ofJson('tokenizer_config', demo.settings, (value) => tokenize(demo.tokenizer, value)),
    {
      name: 'chat template',
      base: [templates[0], []] as [string, ByteChange[]],
      inputs: fc.tuple(fc.constantFrom(...templates), byteChanges) as fc.Arbitrary<[string, ByteChange[]]>,
      run([source, changes]: [string, ByteChange[]]) {
        const changed = new TextDecoder().decode(changeBytes(encode(source), changes));
        const template = new ChatTemplate(changed, { bos_token: '<s>', eos_token: '</s>' });
        try {
          template.render(MESSAGES, { addGenerationPrompt: true, dateString: '26 Jul 2024' });
        } catch (error) {
          // A row is refused with this text.
          if (!(error instanceof Error) || error.name !== 'TemplateError') throw error;
        }
      },
    },
    ofBytes(
      'bitsandbytes',
      bnbWeights,
      (bytes) => open([named('config.json', bnbConfig), named('model.safetensors', bytes)]),
      20_000,
    ),
    ofBytes('gguf', gguf, (bytes) => readGguf(new Blob([bytes]), 'a.gguf'), 4000),
    ofBytes('peft weights', adapter, (bytes) => peft(text(lora), bytes), 400),
    ofJson('peft config', lora, (value) => peft(text(value), adapter as Uint8Array<ArrayBuffer>)),
    ofBytes('JSON lines', encode(rows), data('a.jsonl')),
    ofBytes('CSV', encode(csv), data('a.csv')),
    ofBytes('Parquet (snappy)', parquet, data('a.parquet')),
    ofBytes('Parquet (zstd)', zstd, data('a.parquet')),
    ofJson('recipe', recipe, (value) => parseRecipe(text(value) ?? '')),
    ofBytes('link', encode(link), async (bytes) => recipeOfLink(new TextDecoder().decode(bytes))),
  ];
  return targets;
}

async function templateSources(folder: string): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  const names = (await readdir(join(root, folder))).filter((name) => name.endsWith('.jinja')).sort();
  return Promise.all(names.map(async (name) => (await readFile(join(root, folder, name))).toString()));
}

/** The header of a GGUF as gguf-py writes it, without its tensors. */
async function ggufBytes(): Promise<Uint8Array> {
  const { metadata } = (await json('tests/fixtures/gguf.json')) as { metadata: { file: string } };
  return new Uint8Array(Buffer.from(metadata.file, 'base64'));
}
