/**
 * Templates as Python's jinja2 renders them (tests/interop/jinja_values.py wrote the fixture): the same text,
 * or an error where ours does not know a filter or a method; never another text.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PythonTemplate } from '../../src/data/template/pythonJinja.ts';

const { variables, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/jinja.json', import.meta.url), 'utf8'),
) as { variables: Record<string, unknown>; cases: [string, string | null][] };

const render = (template: string): string | null => {
  try {
    return new PythonTemplate(template).render(variables, new Date(0));
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
    ["{{ 1.0 }} {{ 1 / 4 }} {{ 'a' ~ none ~ 1.5 }}", '1.0 0.25 aNone1.5'],
  ])('%s', (template, text) => {
    expect(render(template)).toBe(text);
  });

  it.each(["{{ 'a' + 1 }}", '{{ missing | tojson }}', '{{ 1e20 | tojson }}'])('raises for %s', (template) => {
    expect(render(template)).toBeNull();
  });
});
