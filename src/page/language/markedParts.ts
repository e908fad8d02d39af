/** Marks in the page's own texts. */

export interface MarkedPart {
  mark: 'code' | 'strong' | null;
  text: string;
}

/** Around what a person wrote: an isolate (UAX 9), whatever the direction of its script. */
const ISOLATE = /\u2068[^\u2069]*\u2069/;

/**
 * Splits a text at its marks: `code` and **strong**. A mark without its end is text, as is all that is
 * isolated.
 */
export function markedParts(text: string): MarkedPart[] {
  const pattern = new RegExp(`(${ISOLATE.source})|\`([^\`]+)\`|\\*\\*(.+?)\\*\\*`, 'g');
  const parts: MarkedPart[] = [];
  let end = 0;
  const plain = (until: number) => {
    if (until > end) parts.push({ mark: null, text: text.slice(end, until) });
  };
  for (const { 0: whole, 1: isolated, 2: code, index } of text.matchAll(pattern)) {
    if (isolated !== undefined) continue;
    plain(index);
    parts.push(
      code === undefined ? { mark: 'strong', text: whole.slice(2, -2) } : { mark: 'code', text: code },
    );
    end = index + whole.length;
  }
  plain(text.length);
  return parts;
}
