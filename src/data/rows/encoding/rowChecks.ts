/** Why rows cannot be trained with a model's tokenizer and chat template. */
import type { ChatTokenizer } from '../../tokenizer/chatTokenizer.ts';
import type { Conversation } from '../conversation.ts';

/** @returns why a row cannot be trained whose ids have no row in the model's embedding table */
export function beyondVocabulary(ids: readonly number[], tokenizer: ChatTokenizer): string | null {
  const { vocabularySize } = tokenizer;
  const id = vocabularySize === null ? undefined : ids.find((candidate) => candidate >= vocabularySize);
  return id === undefined
    ? null
    : `has the token ${JSON.stringify(tokenizer.tokenText(id))}, whose id ${id} the model does not have: config.json says vocab_size ${vocabularySize}. Take it out of the text, or use the tokenizer that belongs to this model.`;
}

/** @returns what of a conversation the model's chat template would leave out in silence */
export function notPrinted({ messages, tools }: Conversation, { abilities }: ChatTokenizer): string | null {
  const key =
    tools && !abilities.tools
      ? 'tools'
      : messages.some((turn) => turn.tool_calls) && !abilities.toolCalls
        ? 'tool_calls'
        : null;
  if (key)
    return `has "${key}", which this model's chat template does not print. Use a model that is made for tools, or remove the row.`;
  if (messages.some(({ role }) => role === 'tool') && !abilities.toolResults)
    return 'has results of tools (role "tool"), which this model\'s chat template does not print. Use a model that is made for tools, or remove the row.';
  return messages.some(({ reasoning }) => reasoning !== undefined) && abilities.reasoningKey === null
    ? "has reasoning (reasoning_content, thinking or reasoning), which this model's chat template does not print. Remove the key, or write it into the answer."
    : null;
}
