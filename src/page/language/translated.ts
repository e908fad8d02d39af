/** Looks up sentences that were written in English below the page, whatever they name. */

export type MessagePairs = readonly (readonly [english: string, translated: string])[];

/**
 * @param pairs with {0}, {1} and so on for what a message names; the first that fits counts
 * @returns the translation of a message; the message itself where there is none
 */
export function translator(pairs: MessagePairs): (message: string) => string {
  const patterns = pairs.map(([english, text]) => ({ pattern: patternOf(english), text }));
  const translate = (message: string): string => {
    for (const { pattern, text } of patterns) {
      const found = pattern.exec(message);
      if (found)
        return text.replace(/\{(\d)\}/g, (_, place: string) => {
          const named = found.groups![`p${place}`];
          // A message of its own, or a kind of row in words; a key or a token in one word stays what it is.
          return named.includes(' ') ? translate(named) : named;
        });
    }
    return message;
  };
  return translate;
}

function patternOf(english: string): RegExp {
  const source = english
    .split(/(\{\d\})/)
    .map((part) => (/^\{\d\}$/.test(part) ? `(?<p${part[1]}>[^]*?)` : escaped(part)))
    .join('');
  return new RegExp(`^${source}$`, 'u');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
