/** A training row of prompts, as rewards see it. */
export interface PromptRow {
  file: string;
  line: number;
  /** What is asked last. */
  prompt: string;
  /** What answers are compared with; null where the row has none. */
  reference: string | null;
  /** The record of the data file. */
  record: unknown;
}
