/**
 * The Porter stemmer as Python's rouge_score uses it: nltk's PorterStemmer in its default mode
 * NLTK_EXTENSIONS, that is M. F. Porter, "An algorithm for suffix stripping", Program 14.3 (1980), with
 * nltk's departures, each marked below. For lower-case words of a-z and 0-9.
 */

/** nltk: words that the rules would spoil. */
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

/**
 * Suffix, what stands in its place, and the condition on the stem. The first suffix that matches decides,
 * even where its condition fails.
 */
type Rule = readonly [suffix: string, replacement: string, condition: (stem: string) => boolean];

export function porterStem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  return [
    plurals,
    pastForms,
    finalY,
    doubleSuffixes,
    adjectiveSuffixes,
    longSuffixes,
    finalE,
    doubleL,
  ].reduce((stem, step) => step(stem), word);
}

function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return condition(stem) ? stem + replacement : word;
  }
  return word;
}

/** Of each letter whether it is a consonant: no a, e, i, o, u, and no y after a consonant. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (const letter of word) flags.push(letter === 'y' ? !flags.at(-1) : !'aeiou'.includes(letter));
  return flags;
}

/** Porter's m: how often a vowel is followed by a consonant. */
function measure(stem: string): number {
  return consonants(stem).filter((consonant, i, flags) => i > 0 && consonant && !flags[i - 1]).length;
}

const always = () => true;
const some = (stem: string) => measure(stem) > 0;
const several = (stem: string) => measure(stem) > 1;
const hasVowel = (stem: string) => consonants(stem).includes(false);

/**
 * Porter's *o: consonant, vowel, consonant other than w, x, y at the end; nltk: also a word of just a vowel
 * and a consonant.
 */
function endsInShortSyllable(word: string): boolean {
  const [a, b, c] = consonants(word).slice(-3);
  if (word.length === 2) return a === false && b === true;
  return a === true && b === false && c === true && !'wxy'.includes(word.at(-1)!);
}

/** Step 1a. */
function plurals(word: string): string {
  // nltk: dies → die.
  if (word.length === 4 && word.endsWith('ies')) return word.slice(0, -1);
  return applyFirst(word, [
    ['sses', 'ss', always],
    ['ies', 'i', always],
    ['ss', 'ss', always],
    ['s', '', always],
  ]);
}

/** Step 1b. */
function pastForms(word: string): string {
  // nltk: died → die, spied → spi.
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return some(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find(
    (ending) => word.endsWith(ending) && hasVowel(word.slice(0, -ending.length)),
  );
  if (!suffix) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (stem.length > 1 && stem.at(-1) === stem.at(-2) && consonants(stem).at(-1))
    return 'lsz'.includes(stem.at(-1)!) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

/** Step 1c; nltk: after a consonant that does not begin the word. */
function finalY(word: string): string {
  return applyFirst(word, [['y', 'i', (stem) => stem.length > 1 && consonants(stem).at(-1)!]]);
}

/** Step 2. */
function doubleSuffixes(word: string): string {
  // nltk: alli → al first, and once more from the top.
  if (word.endsWith('alli') && some(word.slice(0, -4))) return doubleSuffixes(word.slice(0, -2));
  return applyFirst(word, [
    ['ational', 'ate', some],
    ['tional', 'tion', some],
    ['enci', 'ence', some],
    ['anci', 'ance', some],
    ['izer', 'ize', some],
    ['bli', 'ble', some],
    ['alli', 'al', some],
    ['entli', 'ent', some],
    ['eli', 'e', some],
    ['ousli', 'ous', some],
    ['ization', 'ize', some],
    ['ation', 'ate', some],
    ['ator', 'ate', some],
    ['alism', 'al', some],
    ['iveness', 'ive', some],
    ['fulness', 'ful', some],
    ['ousness', 'ous', some],
    ['aliti', 'al', some],
    ['iviti', 'ive', some],
    ['biliti', 'ble', some],
    // nltk: these two, the l of the second counted with the stem.
    ['fulli', 'ful', some],
    ['logi', 'log', (stem) => some(`${stem}l`)],
  ]);
}

/** Step 3. */
function adjectiveSuffixes(word: string): string {
  return applyFirst(word, [
    ['icate', 'ic', some],
    ['ative', '', some],
    ['alize', 'al', some],
    ['iciti', 'ic', some],
    ['ical', 'ic', some],
    ['ful', '', some],
    ['ness', '', some],
  ]);
}

/** Step 4. */
function longSuffixes(word: string): string {
  const removed = (suffix: string): Rule => [suffix, '', several];
  return applyFirst(word, [
    ...['al', 'ance', 'ence', 'er', 'ic', 'able', 'ible', 'ant', 'ement', 'ment', 'ent'].map(removed),
    ['ion', '', (stem) => several(stem) && /[st]$/.test(stem)],
    ...['ou', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize'].map(removed),
  ]);
}

/** Step 5a. */
function finalE(word: string): string {
  return applyFirst(word, [
    ['e', '', (stem) => several(stem) || (measure(stem) === 1 && !endsInShortSyllable(stem))],
  ]);
}

/** Step 5b. */
function doubleL(word: string): string {
  return applyFirst(word, [['ll', 'l', () => several(word.slice(0, -1))]]);
}
