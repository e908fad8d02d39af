/** From a row to ids and labels: the template, the mask, the limit. */
import type { ChatMessage } from './template/chatTemplate.ts';
import { TemplateError } from './template/chatTemplate.ts';
import { answerOf, questionOf, type Conversation, type Row } from './rows/conversation.ts';
import { excerpt, type RowProblem } from './files/records.ts';
import type { ParsedRows } from './rows/parseRows.ts';
import {
  FingerprintsBuilder,
  histogramOf,
  repeatsIn,
  type Fingerprints,
  type Histogram,
  type Repeats,
} from './rows/rowStatistics.ts';
import type { ChatTokenizer } from './tokenizer/chatTokenizer.ts';
import { largest } from '../lib/extremes.ts';
import { supervisedTokens } from './packing.ts';
import { DocumentTableBuilder, type DocumentInput, type DocumentTable } from './documentTable.ts';
import { IGNORE_INDEX } from './types.ts';

export interface DocumentSettings {
  /** Of rows without a system message of their own. null: none; '': an empty one. */
  systemPrompt: string | null;
  /** Longest row in tokens; more is cut off at the end. */
  maxLength: number;
  dateString: string;
  /** Of a conversation only the last answer is learned from. */
  maskHistory?: boolean;
}

export interface EncodedRow {
  promptText: string;
  fullText: string;
  /** Up to the last answer. */
  promptIds: number[];
  inputIds: number[];
  /** null where the ids of a prompt, or of the conversation up to an answer, are not how the row's ids begin. */
  labels: number[] | null;
}

function withSystem(messages: readonly ChatMessage[], systemPrompt: string | null): ChatMessage[] {
  return systemPrompt === null || messages[0]?.role === 'system'
    ? [...messages]
    : [{ role: 'system', content: systemPrompt }, ...messages];
}

/** @throws TemplateError where the template refuses these messages */
export function encodeRow(
  { query, response }: { query: string; response: string },
  tokenizer: ChatTokenizer,
  settings: Omit<DocumentSettings, 'maxLength'>,
): EncodedRow {
  const messages: ChatMessage[] = [
    { role: 'user', content: query },
    { role: 'assistant', content: response },
  ];
  return encodeConversation({ messages, answersFrom: 1 }, tokenizer, settings);
}

/**
 * Supervises every answer from `answersFrom` on, or the last alone: the ids between the prompt rendered up to it and the conversation rendered
 * with it, both of which must be how the whole row's ids begin.
 * @throws TemplateError where the template refuses these messages
 */
export function encodeConversation(
  { messages, answersFrom }: Pick<Conversation, 'messages' | 'answersFrom'>,
  tokenizer: ChatTokenizer,
  { systemPrompt, dateString, maskHistory = false }: Omit<DocumentSettings, 'maxLength'>,
): EncodedRow {
  const whole = withSystem(messages, systemPrompt);
  const first = answersFrom + whole.length - messages.length;
  const last = whole.length - 1;
  const render = (count: number, addGenerationPrompt: boolean) =>
    tokenizer.render(whole.slice(0, count), { addGenerationPrompt, dateString });
  const fullText = render(whole.length, false);
  const inputIds = tokenizer.encode(fullText);
  const promptText = render(last, true);
  const promptIds = tokenizer.encode(promptText);
  const begins = (ids: readonly number[]) =>
    ids.length <= inputIds.length && ids.every((id, i) => id === inputIds[i]);
  let labels: number[] | null = new Array<number>(inputIds.length).fill(IGNORE_INDEX);
  for (let turn = maskHistory ? last : first; turn <= last && labels; turn++) {
    if (whole[turn].role !== 'assistant') continue;
    const before = turn === last ? promptIds : tokenizer.encode(render(turn, true));
    const after = turn === last ? inputIds : tokenizer.encode(render(turn + 1, false));
    if (!begins(before) || !begins(after)) labels = null;
    else for (let p = before.length; p < after.length; p++) labels[p] = inputIds[p];
  }
  return { promptText, fullText, promptIds, inputIds, labels };
}

/** A raw text: everything is learned from, the end token included. */
export function encodeText(text: string, tokenizer: ChatTokenizer): EncodedRow {
  const inputIds = tokenizer.encodeText(text);
  return { promptText: '', fullText: text, promptIds: [], inputIds, labels: [...inputIds] };
}

export interface Dataset {
  file: string;
  documents: DocumentTable;
  /** What each document was made from; empty where it was asked to discard the rows. */
  sources: { question: string; answer: string; kind: Row['kind'] }[];
  problems: RowProblem[];
  summary: DatasetSummary;
  /** Of the rows as they are, before any is cut. */
  histogram: Histogram;
  repeats: Repeats;
  fingerprints: Fingerprints;
}

export interface DatasetSummary {
  /** Rows that will be used. */
  rows: number;
  tokens: number;
  supervisedTokens: number;
  longest: number;
  truncatedRows: number;
  truncatedTokens: number;
  /** Rows that an earlier row of the file says already. */
  duplicates: number;
  /** Rows that will not be used. */
  problems: number;
  /** Those among them that are wrong in themselves, not just too long. */
  badRows: number;
}

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 64;
/** Milliseconds after which other work of the thread gets its turn. A pause costs a worker 4 ms. */
const TURN_MS = 50;

interface BuildOptions {
  onProgress?: (done: number, total: number) => void;
  /**
   * Takes every row out of `parsed.rows` once it is encoded and keeps no `sources`: the texts of a large training file, which nobody asks for
   * again, then do not lie in memory beside its ids.
   */
  discardRows?: boolean;
}

/** Encodes rows; one that cannot be trained is added to the problems, never trained silently. */
export async function buildDataset(
  file: string,
  parsed: Pick<ParsedRows, 'rows' | 'problems' | 'unit'>,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
  { onProgress, discardRows = false }: BuildOptions = {},
): Promise<Dataset> {
  const builder = new DocumentTableBuilder(file);
  const prints = new FingerprintsBuilder();
  const sources: Dataset['sources'] = [];
  const problems = [...parsed.problems];
  const rows: (Row | null)[] = parsed.rows;
  let turnEnds = performance.now() + TURN_MS;
  for (let i = 0; i < rows.length; i++) {
    if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1 && performance.now() >= turnEnds) {
      onProgress?.(i, rows.length);
      await new Promise((resolve) => setTimeout(resolve));
      turnEnds = performance.now() + TURN_MS;
    }
    const row = rows[i]!;
    if (discardRows) rows[i] = null;
    const outcome = documentOf(row, tokenizer, settings);
    if ('reason' in outcome)
      problems.push({
        file,
        line: row.line,
        unit: parsed.unit,
        ...outcome,
        excerpt: excerpt(questionOf(row) || answerOf(row)),
      });
    else {
      builder.push(outcome);
      prints.push(row);
      if (!discardRows) sources.push({ question: questionOf(row), answer: answerOf(row), kind: row.kind });
    }
  }
  const documents = builder.finish();
  problems.sort((a, b) => a.line - b.line);
  const fingerprints = prints.finish();
  const repeats = repeatsIn(fingerprints);
  return {
    file,
    documents,
    sources,
    problems,
    summary: summarize(documents, problems, repeats),
    histogram: histogramOf(documents.lengths.map((length, row) => length + documents.truncatedTokensOf(row))),
    repeats,
    fingerprints,
  };
}

/** The document of a row, or why it cannot be trained. */
export function documentOf(
  row: Row,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
): DocumentInput | Pick<RowProblem, 'kind' | 'reason'> {
  let encoded: EncodedRow;
  try {
    encoded =
      row.kind === 'text' ? encodeText(row.text, tokenizer) : encodeConversation(row, tokenizer, settings);
  } catch (error) {
    if (error instanceof TemplateError)
      return {
        kind: 'bad',
        reason: `is refused by the model's chat template: ${error.message}. Change the row or the system prompt.`,
      };
    throw error;
  }
  const { promptIds, inputIds, labels } = encoded;
  if (!labels) {
    return {
      kind: 'bad',
      reason: `cannot be masked: the prompt's tokens are not how the whole row's tokens begin with this model's template. ${unmaskable(row, settings)}.`,
    };
  }
  const document: DocumentInput = {
    inputIds: inputIds.slice(0, settings.maxLength),
    labels: labels.slice(0, settings.maxLength),
    promptTokens: Math.min(promptIds.length, settings.maxLength),
    truncatedTokens: Math.max(0, inputIds.length - settings.maxLength),
    line: row.line,
  };
  if (supervisedTokens(document) > 0) return document;
  return document.truncatedTokens > 0
    ? {
        kind: 'limit',
        reason: `loses its whole answer: its prompt alone has ${promptIds.length} tokens and max_length is ${settings.maxLength}. Raise max_length or shorten the prompt.`,
      }
    : { kind: 'bad', reason: 'has no token to learn from after the template. Check the answer.' };
}

/** What to do about a row whose prompt is not how it begins. */
function unmaskable(row: Row, { maskHistory }: DocumentSettings): string {
  const answers = row.kind === 'text' ? [] : row.messages.filter(({ role }) => role === 'assistant');
  if (answers.some(({ content }) => /<\/?think>/.test(content)))
    return 'Take the <think> block out of the answer: thinking is switched off';
  return answers.length > 1 && !maskHistory
    ? 'Set mask_history to true (learn from the last answer only), or use another model'
    : 'Remove the row, or use another model';
}

function summarize(
  documents: DocumentTable,
  problems: readonly RowProblem[],
  repeats: Repeats,
): DatasetSummary {
  const cut = Array.from(documents.lengths, (_, row) => documents.truncatedTokensOf(row));
  return {
    rows: documents.length,
    tokens: documents.lengths.reduce((sum, length) => sum + length, 0),
    supervisedTokens: documents.supervisedTokens,
    longest: largest(documents.lengths, 0),
    truncatedRows: cut.filter((tokens) => tokens > 0).length,
    truncatedTokens: cut.reduce((sum, tokens) => sum + tokens, 0),
    duplicates: repeats.rows,
    problems: problems.length,
    badRows: problems.filter(({ kind }) => kind === 'bad').length,
  };
}
