/** Names that people and files give, in reports, cards and curves. */
import { describe, expect, it } from 'vitest';
import { nameBeside, validationSetName } from '../../src/data/files/fileNames.ts';
import { adapterCard } from '../../src/export/adapterCard.ts';
import { inMarkdown, inPython, inYaml } from '../../src/export/escape.ts';
import { lossSets, type MetricsLine } from '../../src/training/metrics.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '![a](https://evil.example/x.png)',
  '[click](javascript:alert(1))',
  'a|b.jsonl',
  'https://evil.example',
  'www.evil.example',
  'me@evil.example',
  'a\nlicense: mit',
  'a\u2028b',
  '"); import os; os.system("id")#',
  '`code`',
  '**bold** __bold__ ~~x~~',
  '&lt;b&gt;',
  '# heading',
  '- item',
];

describe('a hostile name', () => {
  it.each(HOSTILE)('%j is text in Markdown', (name) => {
    const text = inMarkdown(name);
    expect(text).not.toMatch(/[<>\n\r\u2028]|(?<!\\)[`*|[\]!~]|:\/\/|www\.|@|^[#-] /);
    expect(text).not.toMatch(/&(?!#\d+;)/);
  });

  it.each(HOSTILE)('%j is one scalar of YAML and one literal of Python', (name) => {
    expect(JSON.parse(inPython(name))).toBe(name);
    if (name !== 'www.evil.example') expect(inYaml(name)).toBe(JSON.stringify(name));
    const card = adapterCard(parseRecipe({}), name, { lines: [], adapterStep: 1, totalSteps: 1 });
    const [front] = card.split('\n---\n');
    // A name that the Hub cannot have is not named as the base there.
    expect(front.split('\n')).toEqual(['---', 'library_name: peft', 'tags: [lora]']);
    expect(card).toContain(`from_pretrained(${JSON.stringify(name)})`);
  });

  it('does not touch an ordinary one', () => {
    for (const name of ['SmolLM2-135M-Instruct', 'owner/Name_v1.0', 'train.jsonl', 'Größe 7B'])
      expect(inMarkdown(name)).toBe(name);
    expect(inYaml('HuggingFaceTB/SmolLM2-135M-Instruct')).toBe('HuggingFaceTB/SmolLM2-135M-Instruct');
    for (const name of ['true', 'No', '1e3', '', '- x', 'a: b'])
      expect(inYaml(name)).toBe(JSON.stringify(name));
  });
});

describe('names of validation sets', () => {
  it('each has its own key', () => {
    const files = ['training.val.jsonl', '.val.jsonl', '.val.json', 'a.val.jsonl', 'a_loss.val.jsonl'];
    const names: string[] = ['training'];
    for (const file of files) names.push(nameBeside(validationSetName(file), names));
    expect(names).toEqual(['training', 'training_2', 'validation', 'validation_2', 'a', 'a_loss']);
  });

  it('are found in metrics, a beside a_loss, and nll_loss as a metric', () => {
    const line = {
      step: 1,
      epoch: 0,
      eval_a_loss: 1,
      eval_a_loss_loss: 2,
      eval_a_nll_loss: 3,
      eval_b_nll_loss: 4,
    };
    expect(lossSets([line as MetricsLine])).toEqual(['a', 'a_loss', 'b_nll']);
  });
});
