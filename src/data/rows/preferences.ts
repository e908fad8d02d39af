/**
 * Preference rows: one prompt with a chosen and a rejected answer, in the forms of TRL, UltraFeedback and
 * LLaMA-Factory.
 */
import type { ChatMessage } from '../template/chatMessage.ts';
import type { Conversation, PreferencePair } from './conversation.ts';
import { turnsOf, withSystem, type Fields } from './rowFields.ts';
import { isGiven } from './turns.ts';

/** Where the prompt may stand, in the order in which it is looked for. */
const PROMPTS = ['prompt', 'conversations', 'messages', 'question', 'instruction', 'input'] as const;

/**
 * The answers are texts, single turns, lists of turns after the prompt, or whole conversations; without a
 * prompt, what both conversations begin with is the prompt.
 * @returns what is wrong with the row
 */
export function preferencePair(fields: Fields, system: string | null): PreferencePair | string {
  const prompt = promptOf(fields);
  if (typeof prompt === 'string') return prompt;
  const chosen = answerTurns(fields.chosen, 'chosen');
  if (typeof chosen === 'string') return chosen;
  const rejected = answerTurns(fields.rejected, 'rejected');
  if (typeof rejected === 'string') return rejected;
  const isWhole = (turns: readonly ChatMessage[]) => turns.length > 1 && turns[0]?.role !== 'assistant';
  const wholeBoth = isWhole(chosen) && isWhole(rejected);
  if (prompt === null && !wholeBoth)
    return 'has a "chosen" and a "rejected" answer but no "prompt". Write the question there.';
  const shared = wholeBoth ? sharedBeginning(chosen, rejected) : 0;
  if (wholeBoth && [chosen, rejected].some((turns) => asks(turns[shared])))
    return 'has a "chosen" and a "rejected" conversation that ask different questions: only the answers may differ. Give both the same prompt, or remove the row.';
  const before = withSystem(system, wholeBoth ? wholePrompt(prompt, chosen.slice(0, shared)) : prompt!);
  const make = (turns: readonly ChatMessage[]): Conversation => ({
    kind: 'chat',
    messages: [...before, ...turns.slice(shared)],
    answersFrom: before.length,
  });
  const pair: PreferencePair = { kind: 'preference', chosen: make(chosen), rejected: make(rejected) };
  return JSON.stringify(pair.chosen) === JSON.stringify(pair.rejected)
    ? 'has the same "chosen" and "rejected" answer: there is nothing to prefer. Remove the row.'
    : pair;
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

function answerTurns(value: unknown, key: string): ChatMessage[] | string {
  const turns = turnsOf(
    typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : value,
    key,
  );
  if (typeof turns !== 'string') return turns.messages;
  if (typeof value !== 'string') return turns;
  return value.trim() === ''
    ? `has an empty "${key}" answer. Write one or remove the row.`
    : [{ role: 'assistant', content: value }];
}

/** How many turns two conversations begin with alike; the last turn of each is its own. */
function sharedBeginning(a: readonly ChatMessage[], b: readonly ChatMessage[]): number {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) - 1 && JSON.stringify(a[shared]) === JSON.stringify(b[shared]))
    shared++;
  return shared;
}
