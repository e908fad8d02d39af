/**
 * A guess at the language of a text, to find the odd ones of a data set: by its script, and in Latin script
 * by its most frequent little words.
 */

/** Characters that are looked at. */
const LOOKED_AT = 400;

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Japanese', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['Korean', /\p{Script=Hangul}/gu],
  ['Chinese', /\p{Script=Han}/gu],
  ['Cyrillic script', /\p{Script=Cyrillic}/gu],
  ['Arabic script', /\p{Script=Arabic}/gu],
  ['Greek', /\p{Script=Greek}/gu],
  ['Hebrew', /\p{Script=Hebrew}/gu],
  ['Thai', /\p{Script=Thai}/gu],
  ['Devanagari script', /\p{Script=Devanagari}/gu],
];

/** Words that are frequent in one language and rare in the others. */
const WORDS: readonly (readonly [string, readonly string[]])[] = [
  ['English', ['the', 'and', 'of', 'is', 'that', 'with', 'this', 'are', 'you', 'for', 'it', 'not']],
  ['German', ['der', 'und', 'ist', 'nicht', 'das', 'die', 'ein', 'eine', 'mit', 'sich', 'auf', 'für']],
  ['French', ['le', 'les', 'et', 'est', 'une', 'des', 'que', 'dans', 'pour', 'pas', 'vous', 'avec']],
  ['Spanish', ['el', 'los', 'y', 'es', 'una', 'que', 'por', 'con', 'para', 'las', 'del', 'como']],
  ['Portuguese', ['o', 'os', 'e', 'é', 'uma', 'que', 'não', 'com', 'para', 'as', 'dos', 'você']],
  ['Italian', ['il', 'gli', 'e', 'è', 'una', 'che', 'di', 'con', 'per', 'non', 'della', 'sono']],
  ['Dutch', ['het', 'een', 'en', 'is', 'niet', 'van', 'dat', 'met', 'zijn', 'voor', 'je', 'de']],
];

/** Fewer of its words do not make a language. */
const LEAST_WORDS = 3;

/** @returns null where it is not clear */
export function languageOf(text: string): string | null {
  const beginning = text.slice(0, LOOKED_AT);
  if (/[\u0250-\uffff]/.test(beginning)) {
    const letters = beginning.match(/\p{L}/gu)?.length ?? 0;
    for (const [name, script] of SCRIPTS) {
      const count = beginning.match(script)?.length ?? 0;
      // Japanese mixes its scripts with Chinese characters.
      if (letters > 0 && count > (name === 'Japanese' ? 0.1 : 0.4) * letters) return name;
    }
  }
  const words = beginning.toLowerCase().split(/[^\p{L}]+/u);
  let [best, most, next]: [string | null, number, number] = [null, 0, 0];
  for (const [name, frequent] of WORDS) {
    const count = words.filter((word) => frequent.includes(word)).length;
    if (count > most) [best, most, next] = [name, count, most];
    else if (count > next) next = count;
  }
  return most >= LEAST_WORDS && most > next ? best : null;
}
