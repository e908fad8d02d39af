/** What a row is encoded with, and the documents that it becomes. */
import type { RowProblem } from '../../files/records.ts';
import type { EncodingSettings } from './encodeConversation.ts';

export interface DocumentSettings extends EncodingSettings {
  /**
   * Longest document in tokens; more of a conversation is cut off at the end, more of a raw text begins
   * another document.
   */
  maxLength: number;
  /**
   * How rows for preference methods are read; true: each as what it is. False or absent: they are refused, as
   * they are no examples to copy.
   */
  preferences?: boolean | PreferenceReading;
}

/** What a preference method makes of a file's rows. */
export interface PreferenceReading {
  /**
   * pairs: a chosen and a rejected answer · labels: answers by themselves, each wanted or not · prompts:
   * questions whose answers are sampled.
   */
  as: 'pairs' | 'labels' | 'prompts';
  /** Of prompts: tokens that an answer may have. */
  answerTokens?: number;
  /** Whether rows that are neither are refused, as in a training file; else they are ordinary documents. */
  only: boolean;
}

/** Ids and labels of a document, not yet put into a table. */
export interface RowDocument {
  inputIds: number[];
  labels: number[];
  promptTokens: number;
  truncatedTokens: number;
  line: number;
  /** What is asked last and what is answered to it, for the page to show. */
  question: string;
  answer: string;
  /** Of a prompt: nothing of it is learned, and `answer` is what sampled answers are compared with. */
  prompt?: { reference: string | null };
}

/** Why a row, or an answer of it, is not trained: a sentence that follows "line 3". */
export type Refusal = Pick<RowProblem, 'kind' | 'reason'>;

export interface RowDocuments {
  documents: RowDocument[];
  /** Of a preference row, in place of documents. */
  pair?: { chosen: RowDocument; rejected: RowDocument; line: number };
  label?: boolean;
  /** Answers whose white space at the beginning was taken off. */
  trimmedAnswers: number;
  /** Answers of a used row that the limit leaves nothing of. */
  lostAnswers: Refusal[];
}

/** The keys of a recipe that say how its rows become documents. */
interface EncodingRecipe {
  system_prompt: DocumentSettings['systemPrompt'];
  max_length: DocumentSettings['maxLength'];
  date_string: DocumentSettings['dateString'];
  mask_history: boolean;
}

/** All but how preference rows are read, which the method decides. */
export function documentSettingsOf(recipe: EncodingRecipe): Omit<DocumentSettings, 'preferences'> {
  return {
    systemPrompt: recipe.system_prompt,
    maxLength: recipe.max_length,
    dateString: recipe.date_string,
    maskHistory: recipe.mask_history,
  };
}
