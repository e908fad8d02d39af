/** What of a stored model an answer needs beside its weights. */
import { encodePrompt } from '../../../data/rows/encoding/encodeConversation.ts';
import { DEFAULT_DATE_STRING, type ChatMessage } from '../../../data/template/chatTemplate.ts';
import { ChatTokenizer, filesOfModel } from '../../../data/tokenizer/chatTokenizer.ts';
import { modelOf } from '../../../model/families/registry.ts';
import { UserError } from '../../../lib/errors.ts';
import { largest } from '../../../lib/extremes.ts';
import type { Database } from '../../../storage/database.ts';
import { openModel } from '../../../storage/storedWeights.ts';
import type { Recipe } from '../../../training/recipe.ts';

export interface AnsweringModel {
  tokenizer: ChatTokenizer;
  maxPositions: number;
}

/** @throws UserError where no such model is stored */
export async function readAnsweringModel(database: Promise<Database>, id: string): Promise<AnsweringModel> {
  const { manifest } = await openModel(await database, id);
  return {
    tokenizer: new ChatTokenizer(filesOfModel(manifest)),
    maxPositions: modelOf(manifest.config).config.max_position_embeddings,
  };
}

/**
 * The token ids of conversations as a run's own rows begin: after its system prompt, with its date, up to the
 * answer.
 * @throws UserError where the longest and its answer are more tokens than the model knows positions
 */
export function promptIds(
  { tokenizer, maxPositions }: AnsweringModel,
  { system_prompt, date_string }: Pick<Recipe, 'system_prompt' | 'date_string'>,
  conversations: readonly ChatMessage[][],
  maxNewTokens: number,
): number[][] {
  const settings = { systemPrompt: system_prompt, dateString: date_string || DEFAULT_DATE_STRING };
  const prompts = conversations.map((messages) => encodePrompt(messages, undefined, tokenizer, settings));
  const longest = largest(prompts.map(({ length }) => length)) + maxNewTokens;
  if (longest > maxPositions)
    throw new UserError(
      `The conversation and max_new_tokens come to ${longest} tokens; this model knows ${maxPositions} positions. Start a new conversation, or lower max_new_tokens.`,
    );
  return prompts;
}
