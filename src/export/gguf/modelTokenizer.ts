/** The tokenizer of a model's files, with its chat template where it has one. */
import { templateSource } from '../../data/template/templateSource.ts';
import { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import {
  makeTokenizer,
  parseFile,
  specialTokensOf,
  type TokenizerFiles,
} from '../../data/tokenizer/modelFiles.ts';
import type { PythonTokenizer } from '../../data/tokenizer/pythonTokenizer.ts';

export interface ModelTokenizer {
  /** null: the model has no chat template, so that it takes plain texts only. */
  chat: ChatTokenizer | null;
  plain: PythonTokenizer;
  files: TokenizerFiles;
}

/** @returns null where the model's files hold no tokenizer @throws UserError where it cannot be read */
export function modelTokenizer(files: TokenizerFiles): ModelTokenizer | null {
  if (files['tokenizer.json'] === undefined) return null;
  if (!hasTemplate(files)) return { chat: null, plain: makeTokenizer(files, specialTokensOf(files)), files };
  const chat = new ChatTokenizer(files);
  return { chat, plain: chat.tokenizer, files };
}

function hasTemplate(files: TokenizerFiles): boolean {
  try {
    templateSource(files, (name) => parseFile(files, name));
    return true;
  } catch {
    // A tokenizer without a template is what is asked for.
    return false;
  }
}
