/** Normalizers of tokenizer.json, as Rust's tokenizers computes them. */
import { UserError } from '../../lib/errors.ts';
import { compilePattern, mostMadeOf, refuseGrowth, replaceAll } from './patterns.ts';
import type { Normalizer } from './tokenizerJson.ts';
import { normalForm, WHITE_SPACE } from './unicodeVersions.ts';

export type Normalize = (text: string) => string;
/** @param most characters that may come of the text */
type Step = (text: string, most: number) => string;

/** It throws a UserError where far more comes of a text than it has. */
export function makeNormalizer(component: Normalizer): Normalize {
  const normalize = makeStep(component);
  return (text) => normalize(text, mostMadeOf(text.length));
}

function makeStep(component: Normalizer): Step {
  switch (component.type) {
    case 'Sequence': {
      const parts = component.normalizers.map(makeStep);
      return (text, most) => parts.reduce((changed, part) => part(changed, most), text);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => normalForm(text, component.type);
    case 'Lowercase':
      return lowercase;
    case 'Strip':
      return (text) => {
        const cut = component.strip_left ? text.replace(START_SPACE, '') : text;
        return component.strip_right ? cut.replace(END_SPACE, '') : cut;
      };
    case 'Prepend':
      return (text, most) => {
        if (text.length + component.prepend.length > most) refuseGrowth(most);
        return text === '' ? '' : component.prepend + text;
      };
    case 'Replace': {
      const pattern = compilePattern(component.pattern);
      if (matchesNothing(pattern))
        throw new UserError(
          `tokenizer.json cannot be used: a Replace normalizer whose expression ${JSON.stringify(component.pattern)} matches no character is not known to give the token ids that Python gives. Use another model.`,
        );
      return (text, most) => replaceAll(text, pattern, component.content, most);
    }
    case 'BertNormalizer':
      return (text) => {
        let changed = text;
        if (component.clean_text) changed = changed.replace(CONTROL, '').replace(SPACES, ' ');
        if (component.handle_chinese_chars) changed = changed.replace(CHINESE, ' $& ');
        return component.lowercase ? lowercase(changed) : changed;
      };
  }
}

/** Whether an expression matches between characters, as `\b` and `a*` do. */
function matchesNothing(pattern: RegExp): boolean {
  return [...'aA1 .\n\u4e00 Bb'.matchAll(pattern)].some(([match]) => match === '');
}

const START_SPACE = new RegExp(`^${WHITE_SPACE}+`, 'u');
const END_SPACE = new RegExp(`(?<!${WHITE_SPACE})${WHITE_SPACE}+$`, 'u');
const SPACES = new RegExp(WHITE_SPACE, 'gu');
/**
 * Control, format and private characters of the unicode_categories crate, NUL and the replacement character.
 */
const CONTROL = /(?![\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu;
const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** Letter by letter: a sigma at a word's end is as any other. */
function lowercase(text: string): string {
  return Array.from(text, (character) => character.toLowerCase()).join('');
}
