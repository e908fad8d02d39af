/** The rows and chats of a chat.json, computed by the page's own data path. */
import type { ChatMessage } from '../../src/data/template/chatTemplate.ts';
import { TemplateError } from '../../src/data/template/chatTemplate.ts';
import { encodeRow } from '../../src/data/documents.ts';
import { ChatTokenizer, type TokenizerFiles } from '../../src/data/tokenizer/chatTokenizer.ts';

export interface ChatFile {
  date_string: string;
  rows: { system: string | null; query: string; response: string }[];
  chats: { messages: ChatMessage[] }[];
}

/** @returns the same rows and chats, each with texts, ids and labels, or `template_error` */
export function chatReference({ date_string, rows, chats }: ChatFile, files: TokenizerFiles) {
  const tokenizer = new ChatTokenizer(files);
  return {
    date_string,
    rows: rows.map(({ system, query, response }) => {
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

function templateMessage(error: unknown): string {
  if (error instanceof TemplateError) return error.message;
  throw error;
}
