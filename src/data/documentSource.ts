import { plainRecord } from './files/exactJson.ts';
import type { Row } from './rows/conversation.ts';
import type { RowDocument } from './rows/encoding/rowDocuments.ts';

/** What a document was made from; a data set has none where they were not to be kept. */
export interface DocumentSource {
  question: string;
  answer: string;
  kind: Row['kind'];
  /** What the file has there, as JSON has it. */
  record: unknown;
  /** Of a prompt: what sampled answers are compared with. */
  reference: string | null;
}

export function sourceOf(row: Row, { question, answer, prompt }: RowDocument): DocumentSource {
  return {
    question,
    answer,
    kind: row.kind,
    record: plainRecord(row.record),
    reference: prompt ? prompt.reference : answer,
  };
}
