import { describe, expect, it } from 'vitest';
import { encodeRow } from '../../src/data/rows/encoding/encodeConversation.ts';
import { documentsOf } from '../../src/data/rows/encoding/rowDocuments.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const settings = { systemPrompt: 'Be brief.', dateString: '26 Jul 2024', maxLength: 512 };

/** The byte-level tokenizer of the tests with these special tokens (ids from 256) and template. */
function tokenizer(
  special: string[],
  chat_template: unknown,
  config: object = {},
  files: Record<string, string> = {},
): ChatTokenizer {
  const json = JSON.parse(TINY_TOKENIZER) as { added_tokens: { id: number; content: string }[] };
  json.added_tokens = special.map((content, i) => ({ ...json.added_tokens[0], id: 256 + i, content }));
  return new ChatTokenizer({
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': JSON.stringify({
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: special[0],
      chat_template,
      ...config,
    }),
    ...files,
  });
}

const row = (query: string, response: string) => ({ query, response, line: 1 });
/** Texts of a row's prompt and of what it is trained to say. */
function split(made: ChatTokenizer, response: string): [string, string] {
  const { promptText, inputIds, labels } = encodeRow(row('Q', response), made, settings);
  return [promptText, made.decode(inputIds.filter((_, i) => labels![i] !== -100))];
}

const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const GEMMA =
  "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";
/**
 * As Qwen3 does it: the last answer has a think block, an empty one where there was none, and the switch
 * writes it into the prompt.
 */
const THINKING =
  "{% for m in messages %}{% if m.role == 'assistant' %}{% set parts = m.content.split('</think>') %}{% set thought = parts[0].split('<think>')[-1].strip('\n') if parts | length > 1 else '' %}{{ '<|im_start|>assistant\n<think>\n' + thought + '\n</think>\n\n' + parts[-1].lstrip('\n') + '<|im_end|>\n' }}{% else %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}";

describe('where answers end', () => {
  it.each([
    ['ChatML', ['<|endoftext|>', '<|im_start|>', '<|im_end|>'], CHATML, [256, 258]],
    ['Gemma', ['<eos>', '<bos>', '<start_of_turn>', '<end_of_turn>'], GEMMA, [256, 259]],
    [
      'an end token alone',
      ['</s>', '<s>'],
      "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}</s>{% endif %}{% endfor %}",
      [256],
    ],
    [
      'the next question',
      ['<|endoftext|>', '<|user|>', '<|assistant|>'],
      "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}",
      [256, 257],
    ],
  ])('%s', (_, special, template, stops) => {
    expect(tokenizer(special, template).stopTokenIds).toEqual(stops);
  });

  it('includes what generation_config.json says', () => {
    const made = tokenizer(
      ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|eom|>'],
      CHATML,
      {},
      { 'generation_config.json': '{"eos_token_id": [259, 258]}' },
    );
    expect(made.stopTokenIds).toEqual([256, 258, 259]);
  });

  it('includes what config.json says where there is no generation_config.json, also for a text part', () => {
    const special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|eom|>'];
    const stops = (config: object, files = {}) =>
      tokenizer(special, CHATML, {}, { 'config.json': JSON.stringify(config), ...files }).stopTokenIds;
    expect(stops({ eos_token_id: [258, 259] })).toEqual([256, 258, 259]);
    expect(stops({ text_config: { eos_token_id: 259 } })).toEqual([256, 258, 259]);
    expect(stops({ eos_token_id: 259 }, { 'generation_config.json': '{}' })).toEqual([256, 258]);
  });

  it('leaves the pad token that is no end of an answer, and finds another where it is', () => {
    expect(
      tokenizer(
        ['<|im_end|>', '<|im_start|>', '<|endoftext|>'],
        CHATML,
        { pad_token: '<|endoftext|>' },
        { 'generation_config.json': '{"eos_token_id": [256, 258]}' },
      ).padToken,
    ).toBe('<|endoftext|>');
    expect(
      tokenizer(['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<unk>'], CHATML, { pad_token: '<|im_end|>' })
        .padToken,
    ).toBe('<unk>');
  });
});

describe('a template without a system role', () => {
  const made = tokenizer(['<eos>', '<bos>', '<start_of_turn>', '<end_of_turn>'], GEMMA, {
    bos_token: '<bos>',
  });

  it('gets the system prompt before the first question, and says so', () => {
    expect(split(made, 'A')).toEqual([
      '<bos><start_of_turn>user\nBe brief.\n\nQ<end_of_turn>\n<start_of_turn>model\n',
      'A<end_of_turn>\n',
    ]);
    expect(made.notes).toEqual([expect.stringContaining('no system role')]);
    const messages = [
      { role: 'system' as const, content: 'S' },
      { role: 'user' as const, content: 'Q' },
      { role: 'assistant' as const, content: 'A' },
      { role: 'user' as const, content: 'R' },
    ];
    expect(made.render(messages, { addGenerationPrompt: false, dateString: '' })).toBe(
      '<bos><start_of_turn>user\nS\n\nQ<end_of_turn>\n<start_of_turn>model\nA<end_of_turn>\n<start_of_turn>user\nR<end_of_turn>\n',
    );
  });

  it('gets nothing of an empty system prompt', () => {
    expect(encodeRow(row('Q', 'A'), made, { ...settings, systemPrompt: ' ' }).promptText).toBe(
      '<bos><start_of_turn>user\nQ<end_of_turn>\n<start_of_turn>model\n',
    );
  });

  it('that drops the system message without a word is treated the same', () => {
    const silent = tokenizer(
      ['</s>'],
      "{% for m in messages %}{% if m.role != 'system' %}{{ m.role + ': ' + m.content + '\n' }}{% endif %}{% endfor %}",
    );
    expect(split(silent, 'A')[0]).toBe('user: Be brief.\n\nQ\n');
  });

  it('is told from one that has the role', () => {
    expect(tokenizer(['<|endoftext|>', '<|im_start|>', '<|im_end|>'], CHATML).notes).toEqual([]);
  });
});

describe('a template with a switch for thinking', () => {
  const made = tokenizer(['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<think>', '</think>'], THINKING);

  it('has it off: the empty think block belongs to the prompt, the answer alone is learned', () => {
    expect(split(made, 'A')).toEqual([
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n',
      'A<|im_end|>\n',
    ]);
    expect(split(made, '<think>\n\n</think>\n\nA')[1]).toBe('A<|im_end|>\n');
    expect(made.notes).toEqual([expect.stringContaining('enable_thinking: false')]);
  });

  it('leaves it on for an answer that thinks, which is learned as it is', () => {
    const messages = [
      { role: 'user' as const, content: 'Q' },
      { role: 'assistant' as const, content: '<think>\nHm.\n</think>\n\nA' },
    ];
    const made_ = documentsOf({ kind: 'chat', messages, answersFrom: 1, line: 1 }, made, settings);
    if ('reason' in made_) throw new Error(made_.reason);
    const [{ inputIds, labels }] = made_.documents;
    expect(made.decode(inputIds.filter((_, i) => labels[i] !== -100))).toBe(
      '<think>\nHm.\n</think>\n\nA<|im_end|>\n',
    );
  });
});

describe('where the template lies', () => {
  const special = ['</s>'];
  const says = (made: ChatTokenizer) =>
    made.render([{ role: 'user', content: 'Q' }], { addGenerationPrompt: false, dateString: '' });

  it.each([
    ['in tokenizer_config.json', 'config {{ messages[0].content }}', {}, 'config Q'],
    [
      'in a list of named ones',
      [
        { name: 'tool_use', template: 'tools' },
        { name: 'default', template: 'default {{ messages[0].content }}' },
      ],
      {},
      'default Q',
    ],
    [
      'in chat_template.jinja, before all',
      'config',
      {
        'chat_template.jinja': 'jinja {{ messages[0].content }}',
        'chat_template.json': '{"chat_template": "json"}',
      },
      'jinja Q',
    ],
    [
      'in chat_template.json',
      undefined,
      { 'chat_template.json': '{"chat_template": "json {{ messages[0].content }}"}' },
      'json Q',
    ],
  ])('%s', (_, template, files, text) => {
    expect(says(tokenizer(special, template, {}, files as Record<string, string>))).toBe(text);
  });

  it.each([
    ['nowhere', undefined, /no chat template .*or put the template to use into a file chat_template\.jinja/],
    ['only under other names', [{ name: 'rag', template: 'x' }], /\("rag"\) have none named "default"/],
    [
      'in a form that cannot be parsed',
      '{% for %}',
      /chat template cannot be read: .* Use a model whose template/,
    ],
  ])('%s', (_, template, message) => {
    expect(() => tokenizer(special, template)).toThrow(message);
  });
});

describe('tokenizer files that cannot be used', () => {
  const broken = (change: object) => JSON.stringify({ ...(JSON.parse(TINY_TOKENIZER) as object), ...change });

  it.each([
    [
      'no tokenizer.json',
      { 'tokenizer_config.json': '{}' },
      /tokenizer\.json is missing\. Drop the whole folder/,
    ],
    [
      'tokenizer.json cut off',
      { 'tokenizer.json': '{', 'tokenizer_config.json': '{}' },
      /tokenizer\.json is not JSON/,
    ],
    [
      'a vocabulary of words',
      {
        'tokenizer.json': broken({ model: { type: 'WordLevel', vocab: {} } }),
        'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
      },
      /of type "WordLevel"; Finetab reads BPE/,
    ],
    [
      'an unknown normalizer',
      {
        'tokenizer.json': broken({ normalizer: { type: 'Martian' } }),
        'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
      },
      /cannot be used: .*Martian/,
    ],
  ])('%s', (_, files, message) => {
    expect(() => new ChatTokenizer(files)).toThrow(message);
  });
});
