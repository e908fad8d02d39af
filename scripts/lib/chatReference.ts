/** The rows and chats of a chat.json, computed by the page's own data path. */
import type { ChatMessage } from '../../src/data/template/chatTemplate.ts';
import { TemplateError } from '../../src/data/template/chatTemplate.ts';
import { encodeRow } from '../../src/data/rows/encoding/encodeConversation.ts';
import { ChatTokenizer, type TokenizerFiles } from '../../src/data/tokenizer/chatTokenizer.ts';

export interface ChatFile {
  date_string: string;
  rows: (QueryRow | ToolRow)[];
  chats?: { messages: ChatMessage[] }[];
}

interface QueryRow {
  system: string | null;
  query: string;
  response: string;
}

/** A conversation with functions that may be called. */
interface ToolRow {
  tools: unknown[];
  messages: ChatMessage[];
}

/** @returns the same rows and chats, each with texts, ids and labels, or `template_error` */
export function chatReference({ date_string, rows, chats = [] }: ChatFile, files: TokenizerFiles) {
  const tokenizer = new ChatTokenizer(files);
  return {
    date_string,
    rows: rows.map((given) => {
      if ('tools' in given) return toolRow(given, tokenizer, date_string);
      const { system, query, response } = given;
      const row = { system, query, response };
      try {
        const encoded = encodeRow(row, tokenizer, { systemPrompt: system, dateString: date_string });
        return {
          ...row,
          prompt_text: encoded.promptText,
          full_text: encoded.fullText,
          prompt_ids: encoded.promptIds,
          input_ids: encoded.inputIds,
          prefix: encoded.labels !== null,
          labels: encoded.labels,
        };
      } catch (error) {
        return { ...row, template_error: templateMessage(error) };
      }
    }),
    chats: chats.map(({ messages }) => {
      try {
        // A conversation that ends with the person is rendered for an answer.
        const text = tokenizer.render(messages, {
          addGenerationPrompt: messages.at(-1)?.role === 'user',
          dateString: date_string,
        });
        return { messages, text, input_ids: tokenizer.encode(text) };
      } catch (error) {
        return { messages, template_error: templateMessage(error) };
      }
    }),
  };
}

/**
 * Text and ids of the whole, and where each turn of the assistant begins and ends in them; null where the
 * whole does not begin so.
 */
function toolRow({ tools, messages }: ToolRow, tokenizer: ChatTokenizer, dateString: string) {
  const render = (count: number, addGenerationPrompt: boolean) =>
    tokenizer.renderExactly(messages.slice(0, count), { addGenerationPrompt, dateString, tools });
  try {
    const text = render(messages.length, false);
    const input_ids = tokenizer.encode(text);
    const lengthIn = (part: string) => {
      const ids = tokenizer.encode(part);
      return ids.length <= input_ids.length && ids.every((id, i) => id === input_ids[i]) ? ids.length : null;
    };
    const turns = messages.flatMap(({ role }, message) => {
      if (role !== 'assistant') return [];
      const start = lengthIn(render(message, true));
      return [{ message, prefix: start !== null, start, end: lengthIn(render(message + 1, false)) }];
    });
    return { tools, messages, text, input_ids, turns };
  } catch (error) {
    return { tools, messages, template_error: templateMessage(error) };
  }
}

function templateMessage(error: unknown): string {
  if (error instanceof TemplateError) return error.message;
  throw error;
}
