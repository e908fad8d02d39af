/** Whether the tokenizer that comes with a model can be used with it. */
import { ChatTokenizer, filesOfModel } from '../../data/tokenizer/chatTokenizer.ts';
import { fileName, type NamedFile, type SourceCheckpoint } from '../../formats/checkpoint.ts';
import { UserError } from '../../lib/errors.ts';

/** Checks the tokenizer before the weights are read: a model without a usable one cannot be trained. */
export function checkTokenizer(
  { texts, config }: Pick<SourceCheckpoint, 'texts' | 'config'>,
  files: readonly NamedFile[],
  vocabularySize: number,
): void {
  if (!texts['tokenizer.json'] && files.some(({ path }) => fileName(path) === 'tokenizer.model'))
    throw new UserError(
      'The tokenizer is there only as SentencePiece (tokenizer.model). Make a tokenizer.json with transformers (AutoTokenizer.from_pretrained(…).save_pretrained(…)) and drop it with the others.',
    );
  const id = new ChatTokenizer(filesOfModel({ texts, config })).largestTemplateId;
  if (id >= vocabularySize)
    throw new UserError(
      `tokenizer.json gives a token of the chat template the id ${id}, but config.json says that the model has ${vocabularySize} tokens. Use the tokenizer that belongs to these weights.`,
    );
}
