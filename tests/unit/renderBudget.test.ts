/** Chat templates that would not end, or would fill the memory. */
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import { PythonTemplate } from '../../src/data/template/pythonJinja.ts';

const NOW = new Date(0);
const render = (source: string) => new PythonTemplate(source).render({ messages: [] }, NOW);

describe('a template that does harm', () => {
  it.each([
    ['nested loops', '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}'],
    [
      'a list that doubles',
      '{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}',
    ],
    [
      'a text that doubles',
      '{% set ns = namespace(a="x") %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}',
    ],
    [
      'a text that grows by replacing',
      '{% set ns = namespace(a="aaaaaaaa") %}{% for i in range(60) %}{% set ns.a = ns.a.replace("a", "aaaaaaaa") %}{% endfor %}',
    ],
    [
      'one replacement of two long texts',
      '{% set ns = namespace(a="a") %}{% for i in range(20) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ ns.a.replace("a", ns.a) }}',
    ],
    [
      'a macro that calls itself twice',
      '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(30) }}',
    ],
    [
      'a join of a long separator',
      '{% set ns = namespace(a="a") %}{% for i in range(20) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ range(1000) | join(ns.a) }}',
    ],
  ])('%s', { timeout: 10_000 }, (_name, source) => {
    expect(() => new ChatTemplate(source, {})).toThrow(
      /chat template \(.*tokenizer_config.json\) was stopped: it .* use the model's original files/,
    );
  });

  it.each(['range(200000000)', 'range(100001)', 'range(0, 10, 0)'])('%s', (call) => {
    expect(() => render(`{{ ${call} | length }}`)).toThrow(
      /a range of \S+ numbers; at most 100000|step|zero/,
    );
    expect(render('{{ range(100000) | length }}')).toBe('100000');
  });

  it('without an end, or nested without measure', () => {
    const say = { addGenerationPrompt: false, dateString: '' };
    const endless = '{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}';
    expect(() => new ChatTemplate(endless, {}).render([{ role: 'user', content: '' }], say)).toThrow(
      /nested too deeply, or calls itself without an end|was stopped|not a function/,
    );
    expect(() => new ChatTemplate(`{{ ${'('.repeat(99_999)}1${')'.repeat(99_999)} }}`, {})).toThrow(
      /cannot be read: it is nested too deeply/,
    );
  });
});

describe('white space in a template', () => {
  it('ahead of a tag that strips it is read in linear time, to the same text', { timeout: 4000 }, () => {
    const spaces = ' \n'.repeat(300_000);
    expect(render(`a${spaces}{%- if true %}b${spaces}{%- endif %}${spaces}{{- 'c' }}${spaces}{#- d #}`)).toBe(
      'abc',
    );
    expect(render("{{ 'a {%- b' }}")).toBe('a {%- b');
    expect(render('a \n {%- if true -%} \n b {%- endif %} c')).toBe('ab c');
  });

  it('elsewhere is bounded', { timeout: 4000 }, () => {
    expect(() => render(`a${' '.repeat(300_000)}b`)).toThrow(/more white space in a row/);
    expect(render(`a${' '.repeat(5000)}b`)).toHaveLength(5002);
  });
});

it('a conversation of 2,000 turns is within the budget', { timeout: 5000 }, () => {
  const source =
    '{% for m in messages %}{% if m.role == "user" %}<|user|>{% elif m["role"] == "assistant" %}<|assistant|>{% endif %}{{ m.content | trim + "\n" }}{% if loop.last %}end{% endif %}{% endfor %}';
  const messages = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: 'x'.repeat(500),
  }));
  expect(new PythonTemplate(source).render({ messages }, NOW)).toMatch(/^<\|user\|>x.*end$/s);
});
