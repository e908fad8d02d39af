/**
 * Files that were made to do harm, a table for each parser: each ends in the project's own words and within
 * two seconds of the processor, or is read for what it is.
 */
import { describe, expect, it } from 'vitest';
import { classify } from '../../scripts/lib/fuzz/classify.ts';
import { openRecords } from '../../src/data/files/readRecords.ts';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import { templateSource } from '../../src/data/template/templateSource.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { readGguf } from '../../src/formats/gguf/gguf.ts';
import { readPeftFolder } from '../../src/formats/peft.ts';
import { readSafetensorsHeader, writeSafetensors } from '../../src/formats/safetensors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { recipeOfLink } from '../../src/page/recipe/shareLink.ts';
import { TINY_CONFIG, TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

type Outcome = RegExp | 'read';

/** @param expected of the message of a refusal; or that it is read */
async function outcome(run: () => unknown, expected: Outcome): Promise<void> {
  let message = 'read';
  const { kind, signature } = await classify(async () => {
    try {
      await run();
    } catch (error) {
      message = (error as Error).message;
      throw error;
    }
  });
  expect(`${kind} ${signature}`.trim()).toBe(expected === 'read' ? 'accepted' : 'refused');
  expect(message).toMatch(expected);
}

const encode = (text: string) => new TextEncoder().encode(text);
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);

describe('safetensors', () => {
  const file = (header: string, dataBytes: number, length = BigInt(encode(header).length)) =>
    new Blob([join(u64(length), encode(header), new Uint8Array(dataBytes))]);
  const one = (tensor: object) =>
    JSON.stringify({ a: { dtype: 'F32', shape: [16], data_offsets: [0, 64], ...tensor } });

  it.each<[string, Blob, Outcome]>([
    ['a header of 2^63 bytes', file('{}', 64, 1n << 63n), /header/],
    ['a header of no bytes', file('', 64, 0n), /header/],
    ['a header nested 200,000 deep', file('['.repeat(200_000), 64), /header/],
    ['lists in lists for a tensor', file(`{"a":${'['.repeat(9e4)}${']'.repeat(9e4)}}`, 64), /a/],
    ['two negative sizes', file(one({ shape: [-4, -4] }), 64), /a/],
    [
      'sizes whose product is no whole number',
      file(one({ dtype: 'U8', shape: [2 ** 33, 2 ** 33] }), 64),
      /a/,
    ],
    ['offsets that are texts', file(one({ data_offsets: ['0', '64'] }), 64), /a/],
    ['a dtype of every object', file(one({ dtype: 'constructor' }), 64), /constructor/],
    ['100,000 dimensions of one', file(one({ shape: [16, ...Array<number>(1e5).fill(1)] }), 64), 'read'],
  ])('with %s', (_, blob, expected) => outcome(() => readSafetensorsHeader(blob, 'a.safetensors'), expected));
});

describe('GGUF', () => {
  const text = (value: string) => join(u64(BigInt(encode(value).length)), encode(value));
  const key = (name: string, type: number, value: Uint8Array) => join(text(name), u32(type), value);
  const tensor = (dims: bigint[], offset: bigint, count = dims.length) =>
    join(text('a'), u32(count), ...dims.map(u64), u32(0), u64(offset));
  const file = (keys: Uint8Array[], tensors: Uint8Array[] = []) =>
    new Blob([
      join(
        encode('GGUF'),
        u32(3),
        u64(BigInt(tensors.length)),
        u64(BigInt(keys.length)),
        ...keys,
        ...tensors,
      ),
      new Uint8Array(64),
    ]);
  const llama = key('general.architecture', 8, text('llama'));
  const lists = join(...Array<Uint8Array>(20_000).fill(join(u32(9), u64(1n))));

  it.each<[string, Blob, Outcome]>([
    ['a text of 2^60 bytes', file([join(text('a'), u32(8), u64(1n << 60n))]), /a\.gguf/],
    ['a list of 2^50 bytes', file([key('a', 9, join(u32(0), u64(1n << 50n)))]), /a\.gguf/],
    ['lists in lists, 20,000 deep', file([key('a', 9, lists)]), /a\.gguf/],
    ['an alignment of 0', file([llama, key('general.alignment', 4, u32(0))], [tensor([4n], 0n)]), /align/],
    ['a product beyond 2^64', file([llama], [tensor([1n << 40n, 1n << 40n], 0n)]), /a/],
    ['2^31 dimensions', file([llama], [tensor([4n], 0n, 2 ** 31)]), /dimension/],
    ['an offset of 2^60', file([llama], [tensor([4n], 1n << 60n)]), /a/],
    ['the same key twice', file([llama, llama]), /general\.architecture/],
  ])('with %s', (_, blob, expected) => outcome(() => readGguf(blob, 'a.gguf'), expected));
});

describe('config.json', () => {
  it.each<[string, object, Outcome]>([
    ['a model_type of every object', { model_type: '__proto__' }, /model_type "__proto__" is not supported/],
    [
      'a negative rms_norm_eps',
      { rms_norm_eps: -1e-6 },
      /"rms_norm_eps" is -0.000001, it must not be negative/,
    ],
    ['heads of one element and a half', { head_dim: 1.5 }, /head_dim/],
    ['a rope factor of 0', { rope_scaling: { rope_type: 'linear', factor: 0 } }, /factor/],
    ['a rope type of every object', { rope_scaling: { rope_type: 'constructor' } }, /constructor/],
  ])('with %s', (_, change, expected) => outcome(() => modelOf({ ...TINY_CONFIG, ...change }), expected));
});

describe('tokenizer.json', () => {
  type Json = Record<string, unknown> & { added_tokens: object[]; model: unknown };
  const tokenize = (json: string, text: string) => () => {
    const tokenizer = new ChatTokenizer({
      'tokenizer.json': json,
      'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
      'config.json': '{"vocab_size":4096}',
    });
    return tokenizer.decode(tokenizer.encode(text));
  };
  const changed = (change: (copy: Json) => void, text = 'aaaa bb 12') => {
    const copy = JSON.parse(TINY_TOKENIZER) as Json;
    change(copy);
    return tokenize(JSON.stringify(copy), text);
  };
  const doubling = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };
  const added = (content: string, id: number) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  });
  const nested = (key: string, list: string) => () => {
    const json = JSON.stringify({ ...(JSON.parse(TINY_TOKENIZER) as Json), [key]: 'HERE' });
    const deep = `{"type":"Sequence","${list}":[`.repeat(5000) + ']}'.repeat(5000);
    return tokenize(json.replace('"HERE"', deep), 'a')();
  };
  const unigram = (piece: string) => ({
    ...{ type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0] as const, [piece, -1] as const] },
  });
  const growth = /its normalizer or decoder makes more than \d+ characters/;

  it.each<[string, () => unknown, Outcome]>([
    [
      'normalizers that double a text forty times',
      changed((copy) => (copy.normalizer = { type: 'Sequence', normalizers: Array(40).fill(doubling) })),
      growth,
    ],
    [
      'decoders that double a token forty times',
      changed((copy) => {
        const every = { type: 'Replace', pattern: { Regex: '.' }, content: 'aa' };
        copy.decoder = { type: 'Sequence', decoders: Array(40).fill(every) };
      }),
      growth,
    ],
    [
      'normalizers that prepend megabytes',
      changed((copy) => {
        const prepend = { type: 'Prepend', prepend: 'x'.repeat(1e6) };
        copy.normalizer = { type: 'Sequence', normalizers: Array(5).fill(prepend) };
      }),
      growth,
    ],
    [
      'a normalizer that writes three characters for one',
      changed((copy) => (copy.normalizer = { ...doubling, content: 'abc' }), 'a'.repeat(50_000)),
      'read',
    ],
    ['normalizers nested 5,000 deep', nested('normalizer', 'normalizers'), /its normalizer is nested deeper/],
    ['decoders nested 5,000 deep', nested('decoder', 'decoders'), /its decoder is nested deeper/],
    [
      'an added token of a megabyte',
      changed((c) => c.added_tokens.push(added('ab'.repeat(5e5), 300))),
      /1000000 ch/,
    ],
    [
      'added tokens that begin alike and are long together',
      changed(({ added_tokens }) => {
        for (let i = 0; i < 3000; i++) added_tokens.push(added(`${'a'.repeat(1000)}${i}`, 300 + i));
      }),
      /all together have more than/,
    ],
    [
      'an added token of every object',
      changed(({ added_tokens }) => added_tokens.push(added('__proto__', 300))),
      'read',
    ],
    [
      'a Unigram piece of a million characters',
      changed((c) => (c.model = unigram('a'.repeat(1e6)))),
      /1000000 ch/,
    ],
  ])('with %s', (_, run, expected) => outcome(run, expected));
});

describe('a chat template', () => {
  it('in a list that holds null is named as missing', () =>
    outcome(
      () => templateSource({}, () => ({ chat_template: [null, { name: 'x' }] })),
      /chat templates \("x"\) have none named "default"/,
    ));

  const long = (text: string, doublings: number) =>
    `{% set n = namespace(s=${JSON.stringify(text)}) %}{% for i in range(${doublings}) %}{% set n.s = n.s + n.s %}{% endfor %}`;

  it.each<[string, string, Outcome]>([
    ['indents JSON by 100 million', '{{ messages | tojson(indent=100000000) }}', /indents JSON by 100000000/],
    ['indents JSON by two', '{{ messages | tojson(indent=2) }}', 'read'],
    [
      'splits 8 million characters',
      `${long('a', 23)}{{ n.s.split("a") | length }}`,
      /list of more than 1000000/,
    ],
    ['splits at white space', `${long('a ', 22)}{{ n.s.split() | length }}`, /list of more than 1000000/],
    [
      'writes a date of a million fields',
      `${long('%Y', 20)}{{ strftime_now(n.s) }}`,
      /a date in a form of 2097152/,
    ],
  ])('that %s', (_, source, expected) =>
    outcome(() => {
      const template = new ChatTemplate(source, { bos_token: '<s>', eos_token: '</s>' });
      const given = { addGenerationPrompt: true, dateString: '26 Jul 2024' };
      template.render([{ role: 'user', content: 'x' }], given);
    }, expected),
  );
});

describe('an adapter', () => {
  const Q = 'base_model.model.model.layers.0.self_attn.q_proj';
  const matrix = (shape: number[], value = 0) => ({
    ...{ dtype: 'F32' as const, shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value) },
  });
  const pair = { [`${Q}.lora_A.weight`]: matrix([2, 4]), [`${Q}.lora_B.weight`]: matrix([4, 2]) };
  const config = '{"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":["q_proj"]}';

  it.each<[string, string, Record<string, ReturnType<typeof matrix>>, Outcome]>([
    ['a config of null', 'null', pair, /is not a JSON object/],
    ['a config of a list', '[]', pair, /is not a JSON object/],
    ['a config nested 100,000 deep', '['.repeat(1e5), pair, /is not JSON/],
    ['a pattern that explodes', config.replace('}', ',"rank_pattern":{"(a+)+$":2}}'), pair, /rank_pattern/],
    [
      'an A of three dimensions',
      config,
      { ...pair, [`${Q}.lora_A.weight`]: matrix([2, 2, 2]) },
      /a matrix is wanted/,
    ],
    [
      'two adapters of one name',
      config,
      { ...pair, [`${Q}.lora_A.default.weight`]: matrix([2, 4], 1) },
      /twice/,
    ],
    ['infinite weights', config, { ...pair, [`${Q}.lora_B.weight`]: matrix([4, 2], Infinity) }, /infinite/],
  ])('with %s', (_, settings, tensors, expected) =>
    outcome(
      () =>
        readPeftFolder(
          new Map([
            ['adapter_config.json', new Blob([settings])],
            [
              'adapter_model.safetensors',
              new Blob([writeSafetensors(new Map(Object.entries(tensors))) as Uint8Array<ArrayBuffer>]),
            ],
          ]),
        ),
      expected,
    ),
  );
});

describe('a table', () => {
  const names = Array.from({ length: 1e5 }, (_, i) => `c${i}`).join(',');
  const rows = async (content: string | Uint8Array<ArrayBuffer>, name: string) => {
    const reasons: string[] = [];
    for await (const record of (await openRecords(new Blob([content]), name)).read())
      reasons.push('reason' in record ? record.reason : 'row');
    return reasons;
  };

  it.each<[string, string | Uint8Array<ArrayBuffer>, string, RegExp[]]>([
    ['of 100,000 columns', `${names}\n${'x,'.repeat(99_999)}x\n`, 'a.csv', [/^row$/]],
    [
      'whose last of 100,000 names comes twice',
      `${names},c99999\nx\n`,
      'a.csv',
      [/two columns are called "c99999"/],
    ],
    [
      'with a quotation mark that no other ends',
      `query,response\n"${'a,b\n'.repeat(1e6)}`,
      'a.csv',
      [/quot/],
    ],
    ['of a million quotation marks', `query,response\n${'"'.repeat(1e6)}\n`, 'a.csv', [/column/]],
    ['of nested structs that never end', footer(new Uint8Array(1e6).fill(0x1c)), 'a.parquet', [/\w+/]],
    [
      'of lists of 2^31 items',
      footer(Uint8Array.of(21, 2, 25, 252, 255, 255, 255, 255, 7, 0)),
      'a.parquet',
      [/\w+/],
    ],
  ])('%s', async (_, content, name, expected) =>
    outcome(async () => {
      const reasons = await rows(content, name);
      expect(reasons.length).toBe(expected.length);
      reasons.forEach((reason, i) => expect(reason).toMatch(expected[i]));
    }, 'read'),
  );

  /** A Parquet file whose footer has these bytes. */
  function footer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    return join(encode('PAR1'), bytes, u32(bytes.length), encode('PAR1'));
  }
});

describe('a link', () => {
  const link = (json: string) => `#recipe=${Buffer.from(json).toString('base64url')}`;

  it.each<[string, string, Outcome]>([
    ['nested 20,000 deep', link('['.repeat(20_000)), /not JSON/],
    ['with lora in lora, 5,000 deep', link(`${'{"lora":'.repeat(5000)}1${'}'.repeat(5000)}`), /lora/],
    ['with a prototype', link('{"__proto__":{"model":"x"}}'), /__proto__/],
    ['with a seed beyond any number', link('{"training":{"seed":1e999}}'), /seed/],
    ['that is no UTF-8', '#recipe=_w', /cannot be read/],
    ['that ends in another fragment', '#recipe=e30&recipe=e30', /cannot be read/],
  ])('%s', (_, fragment, expected) => outcome(() => recipeOfLink(fragment), expected));
});
