/** Looks up sentences that were written in English below the page, whatever they name. */

export type MessagePairs = readonly (readonly [english: string, translated: string])[];

/** Messages that are looked up one by one in a text of several: a recipe may have that many faults. */
const MOST_IN_SEQUENCE = 100;

/**
 * @param pairs with {0}, {1} and so on for what a message names, and {0!} for what has to be a message of its
 * own; the first that fits counts
 * @returns the translation of a message, or of several one after another; the message itself where there is
 * none
 */
export function translator(pairs: MessagePairs): (message: string) => string {
  const patterns = pairs.map(([english, text]) => ({
    pattern: patternOf(english),
    messages: [...english.matchAll(/\{(\d)!\}/g)].map(([, place]) => `p${place}`),
    text,
  }));
  const lookedUp = (message: string): string | null => {
    for (const { pattern, messages, text } of patterns) {
      const found = pattern.exec(message);
      if (!found) continue;
      if (messages.some((place) => lookedUp(found.groups![place]) === null)) continue;
      return text.replace(/\{(\d)\}/g, (_, place: string) => {
        const named = found.groups![`p${place}`];
        // A message of its own, or a kind of row in words; a key or a token in one word stays what it is.
        return named.includes(' ') ? translate(named) : named;
      });
    }
    return null;
  };
  const translate = (message: string): string =>
    lookedUp(message) ?? inSequence(message, lookedUp) ?? message;
  return translate;
}

/** The translation of messages one after another; null where one of them has none. */
function inSequence(message: string, lookedUp: (message: string) => string | null): string | null {
  const sentences = message.split(/(?<=\.) (?=["\p{Lu}])/u);
  if (sentences.length < 2 || sentences.length > MOST_IN_SEQUENCE) return null;
  const translated: string[] = [];
  for (let from = 0; from < sentences.length;) {
    let text: string | null = null;
    let to = from;
    // A message may be of several sentences.
    while (text === null && to < sentences.length) text = lookedUp(sentences.slice(from, ++to).join(' '));
    if (text === null) return null;
    translated.push(text);
    from = to;
  }
  return translated.join(' ');
}

/** What a place stands for: anything, */
const ANYTHING = '[^]*?';
/** or anything within a message. */
const IN_ONE_MESSAGE = '(?:(?!\\. ["\\p{Lu}])[^])*?';

function patternOf(english: string): RegExp {
  // What begins with a key in quotation marks may be followed by a message about another key.
  const named = english.startsWith('"') ? IN_ONE_MESSAGE : ANYTHING;
  const source = english
    .split(/(\{\d!?\})/)
    .map((part) => {
      const [, place, mark] = /^\{(\d)(!?)\}$/.exec(part) ?? [];
      return place === undefined ? escaped(part) : `(?<p${place}>${mark ? ANYTHING : named})`;
    })
    .join('');
  return new RegExp(`^${source}$`, 'u');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
