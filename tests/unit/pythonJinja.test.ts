/**
 * Templates as Python's jinja2 renders them (tests/interop/jinja_values.py wrote the fixture): the same text,
 * or an error where ours does not know a filter or a method; never another text.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../src/data/files/exactJson.ts';
import { PythonTemplate } from '../../src/data/template/pythonJinja.ts';

const { variables, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/jinja.json', import.meta.url), 'utf8'),
) as { variables: Record<string, unknown>; cases: [string, string | null][] };

const render = (template: string): string | null => {
  try {
    const x = parseExactJson('{"a": [2.0, 1e3, 2, 0.1, -0.0], "b": 1E-7}');
    return new PythonTemplate(template).render({ ...variables, x }, new Date(0));
  } catch {
    return null;
  }
};

describe('jinja as Python has it', () => {
  it('prints the same, or raises', () => {
    let same = 0;
    for (const [template, expected] of cases) {
      const found = render(template);
      if (found !== null) expect(found, template).toBe(expected);
      if (found === expected) same++;
    }
    expect(cases.length).toBeGreaterThan(300);
    expect(same / cases.length).toBeGreaterThan(0.65);
  });

  it.each([
    ['{{ none }}', 'None'],
    ['{{ true }}{{ false }}', 'TrueFalse'],
    ["{{ {'a': [1, none, \"it's\"]} }}", "{'a': [1, None, \"it's\"]}"],
    ['{{ -7 % 3 }}', '2'],
    ["{{ '😀x' | length }}{{ '😀x'[1] }}{{ '😀x'[:1] }}", '2x😀'],
    ['{{ "it\'s ABC" | title }}', "It's Abc"],
    [
      '{{ x }} {{ x | tojson }}',
      "{'a': [2.0, 1000.0, 2, 0.1, -0.0], 'b': 1e-07} " + '{"a": [2.0, 1000.0, 2, 0.1, -0.0], "b": 1e-07}',
    ],
    [
      '{{ x | tojson(indent=1) }}',
      '{\n "a": [\n  2.0,\n  1000.0,\n  2,\n  0.1,\n  -0.0\n ],\n "b": 1e-07\n}',
    ],
    ["{{ 1.0 }} {{ 1 / 4 }} {{ 'a' ~ none ~ 1.5 }}", '1.0 0.25 aNone1.5'],
  ])('%s', (template, text) => {
    expect(render(template)).toBe(text);
  });

  it.each([
    ['{{ true in [1] }}{{ {"b": 1} in [{"b": 1}] }}{{ 3 not in [1] }}', 'TrueTrueTrue'],
    ['{{ {} is iterable }}{{ true is number }}{{ "1" is lower }}{{ "a1" is lower }}', 'TrueTrueFalseTrue'],
    ['{{ {"b": 1} | items | list }}{{ {"b": 1}.items() | list }}', "[('b', 1)][('b', 1)]"],
    ['{% for k, v in {"b": 1}.items() %}{{ k }}{{ v }}{% endfor %}', 'b1'],
  ])('%s, which JavaScript has otherwise', (template, text) => {
    expect(render(template)).toBe(text);
  });

  it.each([
    ...['{{ [1] | reverse }}', '{{ {"a": 1}.items() }}', '{{ [1] + (1, 2) }}', '{{ (1, 2)[1:] }}'],
    ...[
      '{{ "123abc" | int }}',
      '{{ [[1]] | unique | list }}',
      '{{ "x\u0085y".split() }}',
      '{{ "ΑΣ" | title }}',
    ],
  ])('raises for %s', (template) => {
    expect(render(template)).toBeNull();
  });

  it.each(["{{ 'a' + 1 }}", '{{ missing | tojson }}', '{{ 100000000000000000000 | tojson }}'])(
    'raises for %s',
    (template) => {
      expect(render(template)).toBeNull();
    },
  );
});
