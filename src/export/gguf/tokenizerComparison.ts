/** Whether an exported tokenizer gives the ids of the one that was trained, on texts and on conversations. */
import { DEFAULT_DATE_STRING, TemplateError, type ChatMessage } from '../../data/template/chatTemplate.ts';
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import type { PythonTokenizer } from '../../data/tokenizer/pythonTokenizer.ts';
import { messageOf } from '../../lib/errors.ts';
import { CONVERSATIONS, TEXTS } from './tokenizerTexts.ts';

export interface Comparison {
  /** Texts and conversations that were compared, and those of them that have other ids. */
  compared: number;
  different: number;
  /** The first difference, for a message; null where there is none. */
  what: string | null;
  /** Whether a plain question has other ids: then nothing that was trained is prompted as it was trained. */
  plainQuestionDiffers: boolean;
}

/**
 * Texts, and prompts by the trained template as the page renders them and by the exported one as llama.cpp
 * renders it.
 * @param ahead put before each text
 * @param addsBos whether the runtime puts the first token before every prompt, once
 */
export function compareTokenizers(
  trained: { plain: PythonTokenizer; chat: ChatTokenizer | null },
  exported: { plain: PythonTokenizer; chat: ChatTokenizer | null },
  { ahead, addsBos }: { ahead: string; addsBos: boolean },
): Comparison {
  const result: Comparison = { compared: 0, different: 0, what: null, plainQuestionDiffers: false };
  const count = (difference: string | null) => {
    result.compared++;
    if (difference === null) return;
    result.different++;
    result.what ??= difference;
  };
  for (const [i, messages] of CONVERSATIONS.entries()) {
    if (!trained.chat) break;
    const difference = promptDifference(trained.chat, exported.chat!, messages, addsBos);
    if (difference === undefined) continue;
    count(difference);
    if (i === 0 && difference !== null) result.plainQuestionDiffers = true;
  }
  for (const text of TEXTS) {
    const [expected, actual] = [trained.plain.encode(ahead + text), exported.plain.encode(ahead + text)];
    count(same(expected, actual) ? null : describe(text, expected, actual));
  }
  return result;
}

/** @returns null where the ids are equal; undefined where one of the templates takes no such conversation */
function promptDifference(
  trained: ChatTokenizer,
  exported: ChatTokenizer,
  messages: readonly ChatMessage[],
  addsBos: boolean,
): string | null | undefined {
  const expectedText = trainedPrompt(trained, messages);
  if (expectedText === null) return undefined;
  let text: string;
  try {
    text = exported.renderExactly(messages, { addGenerationPrompt: true, dateString: '01 Jan 2000' });
  } catch (error) {
    // A system message that the page folds into the first question, and the template refuses.
    if (error instanceof TemplateError && messages[0].role === 'system') return undefined;
    return `a conversation: the template fails (${messageOf(error)})`;
  }
  const bos = addsBos ? exported.bosToken : null;
  const ids =
    bos === null
      ? exported.encode(text)
      : [exported.idOf(bos)!, ...exported.encode(text.startsWith(bos) ? text.slice(bos.length) : text)];
  const expected = trained.encode(expectedText);
  return same(expected, ids) ? null : describe(expectedText, expected, ids);
}

/** Whether prompts begin with the token that begins texts. */
export function startsWithBos(chat: ChatTokenizer): boolean {
  const text = trainedPrompt(chat, CONVERSATIONS[0]);
  return text !== null && chat.bosToken !== null && text.startsWith(chat.bosToken);
}

/** The prompt as the training renders it; null where its template refuses the messages. */
function trainedPrompt(chat: ChatTokenizer, messages: readonly ChatMessage[]): string | null {
  try {
    return chat.render(messages, { addGenerationPrompt: true, dateString: DEFAULT_DATE_STRING });
  } catch (error) {
    if (error instanceof TemplateError) return null;
    throw error;
  }
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function describe(text: string, expected: readonly number[], actual: readonly number[]): string {
  const at = expected.findIndex((id, i) => id !== actual[i]);
  const first = at < 0 ? expected.length : at;
  return (
    `${JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)}: id ${first} is ` +
    `${actual[first] ?? 'missing'} instead of ${expected[first] ?? 'none'}`
  );
}
