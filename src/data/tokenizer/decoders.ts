/** Decoders of tokenizer.json: tokens back to a text, as Rust's tokenizers does it. */
import { compilePattern, mostMadeOf, replaceAll } from './patterns.ts';
import { BYTE_ALPHABET } from './preTokenizers.ts';
import type { Decoder } from './tokenizerJson.ts';

/** @param most characters that may come of a token */
type Decode = (tokens: readonly string[], most: number) => readonly string[];

/**
 * It throws a UserError where far more comes of tokens than they have.
 * @param component null: the tokens with a space between them
 */
export function makeDecoder(component: Decoder | null): (tokens: readonly string[]) => string {
  if (component === null) return (tokens) => tokens.join(' ');
  const decode = chain(component);
  return (tokens) => {
    const characters = tokens.reduce((sum, { length }) => sum + length, 0);
    return decode(tokens, mostMadeOf(characters)).join('');
  };
}

function chain(component: Decoder): Decode {
  switch (component.type) {
    case 'Sequence': {
      const parts = component.decoders.map(chain);
      return (tokens, most) => parts.reduce((decoded, part) => part(decoded, most), tokens);
    }
    case 'ByteLevel':
      return (tokens) => [lenient.decode(Uint8Array.from(tokens.flatMap(fromByteAlphabet)))];
    case 'ByteFallback':
      return byteFallback;
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'Strip':
      return (tokens) => tokens.map((token) => stripped(token, component));
    case 'Replace': {
      const pattern = compilePattern(component.pattern);
      return (tokens, most) => tokens.map((token) => replaceAll(token, pattern, component.content, most));
    }
    case 'Metaspace': {
      const { replacement, prepend_scheme = 'always', add_prefix_space = true } = component;
      const dropsFirst = prepend_scheme !== 'never' && add_prefix_space;
      return (tokens) =>
        tokens.map((token, i) => token.replaceAll(replacement, i === 0 && dropsFirst ? '' : ' '));
    }
    case 'WordPiece': {
      const { prefix, cleanup } = component;
      return (tokens) =>
        tokens.map((token, i) => {
          const spaced =
            i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
          return cleanup ? withoutSpaces(spaced) : spaced;
        });
    }
    case 'BPEDecoder':
      return (tokens) =>
        tokens.map((token, i) => token.replaceAll(component.suffix, i === tokens.length - 1 ? '' : ' '));
  }
}

const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const utf8 = new TextEncoder();
const BYTES = new Map(BYTE_ALPHABET.map((character, byte) => [character, byte]));

/** Bytes that a token stands for; its own UTF-8 where it is not written in the byte alphabet. */
function fromByteAlphabet(token: string): number[] {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : [...utf8.encode(token)];
}

/** Runs of byte tokens as UTF-8; a run that is none becomes a replacement character a byte. */
function byteFallback(tokens: readonly string[]): string[] {
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      out.push(strict.decode(Uint8Array.from(bytes)));
    } catch {
      // Not UTF-8: what Rust writes for it.
      out.push('\ufffd'.repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) bytes.push(parseInt(byte, 16));
    else {
      flush();
      out.push(token);
    }
  }
  flush();
  return out;
}

/** At most `start` and `stop` times `content` from the two ends. */
function stripped(
  token: string,
  { content, start, stop }: { content: string; start: number; stop: number },
): string {
  const characters = Array.from(token);
  let from = 0;
  while (from < start && characters[from] === content) from++;
  let to = characters.length;
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
  return characters.slice(from, to).join('');
}

/** The clean-up of WordPiece decoders, which is for English. */
function withoutSpaces(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}
