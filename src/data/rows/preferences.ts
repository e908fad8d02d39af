/**
 * Preference rows: one prompt with a chosen and a rejected answer, in the forms of TRL, UltraFeedback and
 * LLaMA-Factory.
 */
import type { ChatMessage } from '../template/chatMessage.ts';
import type { Conversation, PreferencePair } from './conversation.ts';
import { turnsOf, withSystem, type Fields } from './rowFields.ts';
import { isGiven, readTools } from './toolCalls.ts';
import type { Turns } from './turns.ts';

/** Where the prompt may stand, in the order in which it is looked for. */
const PROMPTS = ['prompt', 'conversations', 'messages', 'question', 'instruction', 'input'] as const;

/**
 * The answers are texts, single turns, lists of turns after the prompt, or whole conversations; without a
 * prompt, what both conversations begin with is the prompt.
 * @returns what is wrong with the row
 */
export function preferencePair(
  fields: Fields,
  system: string | null,
  [chosenKey, rejectedKey]: readonly [string, string] = ['chosen', 'rejected'],
): PreferencePair | string {
  const prompt = promptOf(fields);
  if (typeof prompt === 'string') return prompt;
  const ofChosen = answerTurns(fields[chosenKey], chosenKey);
  if (typeof ofChosen === 'string') return ofChosen;
  const ofRejected = answerTurns(fields[rejectedKey], rejectedKey);
  if (typeof ofRejected === 'string') return ofRejected;
  const [chosen, rejected] = [ofChosen.messages, ofRejected.messages];
  const isWhole = (turns: readonly ChatMessage[]) => turns.length > 1 && turns[0]?.role !== 'assistant';
  const wholeBoth = isWhole(chosen) && isWhole(rejected);
  if (prompt === null && !wholeBoth)
    return `has a "${chosenKey}" and a "${rejectedKey}" answer but no "prompt". Write the question there.`;
  const shared = wholeBoth ? sharedBeginning(chosen, rejected) : 0;
  if (wholeBoth && [chosen, rejected].some((turns) => asks(turns[shared])))
    return `has a "${chosenKey}" and a "${rejectedKey}" conversation that ask different questions: only the answers may differ. Give both the same prompt, or remove the row.`;
  const before = withSystem(system, wholeBoth ? wholePrompt(prompt, chosen.slice(0, shared)) : prompt!);
  const make = ({ messages, unlearned }: Turns): Conversation => {
    const onlyRead = unlearned.filter((turn) => turn >= shared).map((turn) => turn - shared + before.length);
    return {
      kind: 'chat',
      messages: [...before, ...messages.slice(shared)],
      answersFrom: before.length,
      ...(onlyRead.length > 0 ? { unlearned: onlyRead } : {}),
    };
  };
  const pair: PreferencePair = { kind: 'preference', chosen: make(ofChosen), rejected: make(ofRejected) };
  return JSON.stringify(pair.chosen) === JSON.stringify(pair.rejected)
    ? `has the same "${chosenKey}" and "${rejectedKey}" answer: there is nothing to prefer. Remove the row.`
    : pair;
}

const OPENAI_ANSWERS = ['preferred_output', 'non_preferred_output'] as const;
/** Keys of a preference row as OpenAI writes it. */
export const OPENAI_PREFERENCE: readonly string[] = ['input', ...OPENAI_ANSWERS];

/** OpenAI's form: `input` holds messages and tools. @returns what is wrong with the row */
export function openAiPreference(fields: Fields, system: string | null): PreferencePair | string {
  const input = (
    typeof fields.input === 'object' && fields.input !== null ? fields.input : { messages: fields.input }
  ) as Fields;
  const tools = readTools(input.tools);
  if (typeof tools === 'string') return tools;
  const pair = preferencePair({ ...fields, input: input.messages }, system, OPENAI_ANSWERS);
  if (typeof pair === 'string' || !tools) return pair;
  return { ...pair, chosen: { ...pair.chosen, tools }, rejected: { ...pair.rejected, tools } };
}

function asks(turn: ChatMessage | undefined): boolean {
  return turn?.role === 'user' || turn?.role === 'system';
}

/** Whole conversations hold the prompt themselves; a system message that only the prompt has is kept. */
function wholePrompt(prompt: readonly ChatMessage[] | null, shared: readonly ChatMessage[]): ChatMessage[] {
  const system = prompt?.[0]?.role === 'system' && shared[0]?.role !== 'system' ? [prompt[0]] : [];
  return [...system, ...shared];
}

function promptOf(fields: Fields): ChatMessage[] | null | string {
  const key = PROMPTS.find((name) => isGiven(fields[name]));
  if (key === undefined) return null;
  const turns = turnsOf(fields[key], key);
  if (typeof turns !== 'string') return turns.messages;
  const value = fields[key];
  if (typeof value !== 'string') return turns;
  const input = key === 'instruction' && typeof fields.input === 'string' ? fields.input : '';
  return [{ role: 'user', content: [value, input].filter((part) => part !== '').join('\n') }];
}

function answerTurns(value: unknown, key: string): Turns | string {
  const turns = turnsOf(
    typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : value,
    key,
  );
  if (typeof turns !== 'string' || typeof value !== 'string') return turns;
  return value.trim() === ''
    ? `has an empty "${key}" answer. Write one or remove the row.`
    : { messages: [{ role: 'assistant', content: value }], unlearned: [] };
}

/** How many turns two conversations begin with alike; the last turn of each is its own. */
function sharedBeginning(a: readonly ChatMessage[], b: readonly ChatMessage[]): number {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) - 1 && JSON.stringify(a[shared]) === JSON.stringify(b[shared]))
    shared++;
  return shared;
}
