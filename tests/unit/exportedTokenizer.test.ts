/** What is written beside an exported adapter, so that Python reads the folder as the page trained it. */
import { describe, expect, it } from 'vitest';
import { adapterCard } from '../../src/export/adapterCard.ts';
import { exportedTokenizerTexts } from '../../src/export/exportedTokenizer.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

describe('tokenizer files of an export', () => {
  it('name the class that reads tokenizer.json as it is, and keep the space before a text', () => {
    const written = exportedTokenizerTexts({
      'tokenizer.json': JSON.stringify({ pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } }),
      'tokenizer_config.json': JSON.stringify({
        tokenizer_class: 'GPT2Tokenizer',
        auto_map: {},
        eos_token: '</s>',
      }),
      'chat_template.jinja': 'x',
    });
    expect(JSON.parse(written['tokenizer_config.json'])).toEqual({
      eos_token: '</s>',
      add_prefix_space: true,
      tokenizer_class: 'PreTrainedTokenizerFast',
    });
    expect(written['chat_template.jinja']).toBe('x');
  });
});

describe('the card of an adapter', () => {
  const run = { lines: [], adapterStep: 1, totalSteps: 1 };
  const recipe = parseRecipe({ lora: { r: 16, lora_alpha: 32, use_rslora: true } });

  it('says the scale of rank stabilisation, and the name of the base where the Hub has it', () => {
    const card = adapterCard(recipe, 'owner/name', run);
    expect(card).toContain('scale alpha / √r = 8 (use_rslora; not alpha / r = 2)');
    expect(card).toContain('base_model: owner/name');
    expect(card).not.toContain('not known here');
  });

  it('says that the name of the base is not known where it is not', () => {
    const card = adapterCard(recipe, 'my folder', run);
    expect(card).not.toContain('base_model:');
    expect(card).toMatch(/"my folder"; by which name the Hub has it is not known here\. Put that name/);
  });
});
