/** What of a stored model an answer needs beside its weights. */
import { ChatTokenizer, filesOfModel } from '../../data/tokenizer/chatTokenizer.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { Database } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';

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
