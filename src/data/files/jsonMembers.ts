/** Where the members of a JSON array or object stand in a text that is known to be JSON. */

/** Offsets of a value; of a member of an object also where its key begins. */
export interface Member {
  begin: number;
  end: number;
  keyBegin?: number;
}

/** @param start of the bracket or brace */
export function membersOf(text: string, start: number): Member[] {
  const members: Member[] = [];
  const isObject = text[start] === '{';
  let at = afterSpace(text, start + 1);
  while (at < text.length && text[at] !== ']' && text[at] !== '}') {
    const keyBegin = at;
    // The colon lies between a key and its value.
    if (isObject) at = afterSpace(text, afterSpace(text, endOfValue(text, at)) + 1);
    const end = endOfValue(text, at);
    members.push({ begin: at, end, ...(isObject ? { keyBegin } : {}) });
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return members;
}

/** The key of a member of an object; null of an array's. */
export function memberKey(text: string, { keyBegin }: Member): string | null {
  return keyBegin === undefined
    ? null
    : (JSON.parse(text.slice(keyBegin, endOfValue(text, keyBegin))) as string);
}

function afterSpace(text: string, at: number): number {
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

/** One past a value that begins here. */
function endOfValue(text: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    else if (depth > 0 || !/[\s,:\]}]/.test(text.charAt(at + 1) || ',')) continue;
    if (depth === 0) return at + 1;
    if (depth < 0) return at;
  }
  return text.length;
}

/** The closing quotation mark of a string that begins here. */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length - 1;
}
