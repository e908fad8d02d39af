/** Tools that a row offers, and calls of them, as data files write both. */
import { parseExactJson } from '../files/exactJson.ts';
import type { ToolCall } from '../template/chatMessage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Whether a key says something: null, an empty list and an empty text do not. */
export function isGiven(value: unknown): boolean {
  return !(
    value === null ||
    value === undefined ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}

/**
 * Calls of tools: OpenAI's list, its older single `function_call`, or, where the turn is a call, ShareGPT's
 * JSON text of one or several. Arguments may be an object or its JSON text.
 */
export function readCalls(value: unknown, isText: boolean): ToolCall[] | null | string {
  if (!isGiven(value))
    return isText ? 'is a call of a tool without text. Write its name and arguments.' : null;
  const parsed = typeof value === 'string' ? parsedJson(value) : value;
  const list = Array.isArray(parsed) ? parsed : [parsed];
  const calls: ToolCall[] = [];
  for (const entry of list as unknown[]) {
    const fields = (typeof entry === 'object' && entry !== null ? entry : {}) as Fields;
    const called = (
      typeof fields.function === 'object' && fields.function !== null ? fields.function : fields
    ) as Fields;
    if (typeof called.name !== 'string' || called.name === '')
      return 'has a call of a tool that cannot be read. Write {"name": "…", "arguments": {…}}.';
    const given = called.arguments ?? called.parameters ?? {};
    const args = typeof given === 'string' ? (parsedJson(given) ?? given) : given;
    if (typeof args !== 'string' && !isObject(args))
      return `has a call of "${called.name}" whose arguments are no object. Write {"name": "…", "arguments": {…}}.`;
    calls.push({
      type: 'function',
      ...(typeof fields.id === 'string' ? { id: fields.id } : {}),
      function: { name: called.name, arguments: args },
    });
  }
  return calls;
}

/** The functions of a row, as a list or as its JSON text; a bare function is wrapped as OpenAI writes it. */
export function readTools(value: unknown): unknown[] | null | string {
  if (!isGiven(value)) return null;
  const parsed = typeof value === 'string' ? parsedJson(value) : value;
  if (!Array.isArray(parsed) || !parsed.every(isObject))
    return 'has "tools" that are no list of functions. Write [{"type": "function", "function": {"name": "…", …}}].';
  const tools = parsed.map((tool) => ('function' in tool ? tool : { type: 'function', function: tool }));
  return tools.every(({ function: called }) => isObject(called) && typeof called.name === 'string')
    ? tools.length > 0
      ? tools
      : null
    : 'has "tools" with a function that has no name. Write {"type": "function", "function": {"name": "…", …}}.';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsedJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    // Not JSON: the caller says what it must be.
    return undefined;
  }
}
