/** From a row to ids and labels: the template, the mask, the limit. */
import type { ChatMessage } from './chatTemplate.ts';
import { TemplateError } from './chatTemplate.ts';
import type { Row, RowProblem } from './rows.ts';
import type { ChatTokenizer } from './tokenizer.ts';
import { supervisedTokens } from './packing.ts';
import { IGNORE_INDEX, type Document } from './types.ts';

export interface DocumentSettings {
  /** null: no system message; '': an empty one. */
  systemPrompt: string | null;
  /** Longest row in tokens; more is cut off at the end. */
  maxLength: number;
  dateString: string;
}

export interface EncodedRow {
  promptText: string;
  fullText: string;
  promptIds: number[];
  inputIds: number[];
  /** null where the prompt's ids are not how the row's ids begin. */
  labels: number[] | null;
}

function promptMessages(query: string, systemPrompt: string | null): ChatMessage[] {
  return [...(systemPrompt === null ? [] : [{ role: 'system' as const, content: systemPrompt }]), { role: 'user', content: query }];
}

/** Ids of a question as training rows begin: what generation starts from. */
export function encodePrompt(query: string, tokenizer: ChatTokenizer, { systemPrompt, dateString }: Pick<DocumentSettings, 'systemPrompt' | 'dateString'>): number[] {
  return tokenizer.encode(tokenizer.render(promptMessages(query, systemPrompt), { addGenerationPrompt: true, dateString }));
}

/** @throws TemplateError where the template refuses these messages */
export function encodeRow(
  row: { query: string; response: string },
  tokenizer: ChatTokenizer,
  { systemPrompt, dateString }: Pick<DocumentSettings, 'systemPrompt' | 'dateString'>,
): EncodedRow {
  const prompt = promptMessages(row.query, systemPrompt);
  const promptText = tokenizer.render(prompt, { addGenerationPrompt: true, dateString });
  const fullText = tokenizer.render([...prompt, { role: 'assistant', content: row.response }], { addGenerationPrompt: false, dateString });
  const promptIds = tokenizer.encode(promptText);
  const inputIds = tokenizer.encode(fullText);
  const isPrefix = promptIds.length <= inputIds.length && promptIds.every((id, i) => id === inputIds[i]);
  return { promptText, fullText, promptIds, inputIds, labels: isPrefix ? inputIds.map((id, i) => (i < promptIds.length ? IGNORE_INDEX : id)) : null };
}

export interface Dataset {
  file: string;
  documents: Document[];
  problems: RowProblem[];
  summary: DatasetSummary;
}

export interface DatasetSummary {
  /** Rows that will be used. */
  rows: number;
  tokens: number;
  supervisedTokens: number;
  longest: number;
  truncatedRows: number;
  truncatedTokens: number;
  /** Rows that will not be used. */
  problems: number;
  /** Those among them that are wrong in themselves, not just too long. */
  badRows: number;
}

/** Rows between two breaths for other work of the thread. */
const ROWS_AT_ONCE = 64;

/** Encodes rows; one that cannot be trained is added to the problems, never trained silently. */
export async function buildDataset(
  file: string,
  parsed: { rows: readonly Row[]; problems: readonly RowProblem[] },
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
  onProgress?: (done: number, total: number) => void,
): Promise<Dataset> {
  const documents: Document[] = [];
  const problems = [...parsed.problems];
  for (const [i, row] of parsed.rows.entries()) {
    if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) {
      onProgress?.(i, parsed.rows.length);
      await new Promise((resolve) => setTimeout(resolve));
    }
    const outcome = documentOf(file, row, tokenizer, settings);
    if ('reason' in outcome) problems.push({ file, line: row.line, ...outcome, excerpt: row.query.slice(0, 80) });
    else documents.push(outcome);
  }
  problems.sort((a, b) => a.line - b.line);
  return { file, documents, problems, summary: summarize(documents, problems) };
}

/** The document of a row, or why it cannot be trained. */
export function documentOf(file: string, row: Row, tokenizer: ChatTokenizer, settings: DocumentSettings): Document | Pick<RowProblem, 'kind' | 'reason'> {
  let encoded: EncodedRow;
  try {
    encoded = encodeRow(row, tokenizer, settings);
  } catch (error) {
    if (error instanceof TemplateError) return { kind: 'bad', reason: `is refused by the model's chat template: ${error.message}. Change the row or the system prompt.` };
    throw error;
  }
  const { promptIds, inputIds, labels } = encoded;
  if (!labels)
    return {
      kind: 'bad',
      reason: `cannot be masked: the prompt's tokens are not how the whole row's tokens begin with this model's template. ${/<\/?think>/.test(row.response) ? 'Take the <think> block out of the response: thinking is switched off' : 'Remove the row, or use another model'}.`,
    };
  const document: Document = {
    inputIds: inputIds.slice(0, settings.maxLength),
    labels: labels.slice(0, settings.maxLength),
    promptTokens: Math.min(promptIds.length, settings.maxLength),
    truncatedTokens: Math.max(0, inputIds.length - settings.maxLength),
    file,
    line: row.line,
  };
  if (supervisedTokens(document) > 0) return document;
  return document.truncatedTokens > 0
    ? {
        kind: 'limit',
        reason: `loses its whole answer: its prompt alone has ${promptIds.length} tokens and max_length is ${settings.maxLength}. Raise max_length or shorten the query.`,
      }
    : { kind: 'bad', reason: 'has no token to learn from after the template. Check the response.' };
}

function summarize(documents: readonly Document[], problems: readonly RowProblem[]): DatasetSummary {
  const sum = (of: (document: Document) => number) => documents.reduce((total, document) => total + of(document), 0);
  return {
    rows: documents.length,
    tokens: sum(({ inputIds }) => inputIds.length),
    supervisedTokens: sum(supervisedTokens),
    longest: documents.reduce((longest, { inputIds }) => Math.max(longest, inputIds.length), 0),
    truncatedRows: sum(({ truncatedTokens }) => (truncatedTokens > 0 ? 1 : 0)),
    truncatedTokens: sum(({ truncatedTokens }) => truncatedTokens),
    problems: problems.length,
    badRows: problems.filter(({ kind }) => kind === 'bad').length,
  };
}

export interface PreviewToken {
  id: number;
  text: string;
  supervised: boolean;
  special: boolean;
}

/** A document token by token, as it will be trained. */
export function previewTokens({ inputIds, labels }: Document, tokenizer: ChatTokenizer): PreviewToken[] {
  return inputIds.map((id, i) => ({ id, text: tokenizer.tokenText(id), supervised: labels[i] !== IGNORE_INDEX, special: tokenizer.isSpecial(id) }));
}

/** Whether a file is a validation set by its name: it ends in val.json or val.jsonl. */
export function isValidationFile(name: string): boolean {
  return /val\.jsonl?$/i.test(name);
}

/** Name of a validation set: the file's name up to its first dot (`math.val.jsonl` → `math`; `val.jsonl` → `val`). */
export function validationSetName(name: string): string {
  return name.split('/').at(-1)!.split('.')[0];
}
