/** Why each stretch of a document is learned or only read: the rules that made its mask, in order. */
import { TemplateError } from '../../template/chatTemplate.ts';
import type { ChatMessage } from '../../template/chatMessage.ts';
import type { ChatTokenizer } from '../../tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX, type Document } from '../../types.ts';
import type { Conversation, Row } from '../conversation.ts';
import type { DocumentSettings } from './documentTypes.ts';
import {
  documentCandidates,
  encodePrepared,
  isThinking,
  prepared,
  type EncodingSettings,
  type Prepared,
} from './encodeConversation.ts';
import { promptOf } from './promptDocuments.ts';

export type MaskRule =
  | 'systemOfRecipe'
  | 'systemOfRow'
  | 'question'
  | 'systemAndQuestion'
  | 'toolResult'
  | 'generationPrompt'
  | 'answer'
  | 'thoughts'
  | 'calls'
  | 'chosen'
  | 'rejected'
  /** weight 0, train false. */
  | 'unlearned'
  /** An answer within the prompt of a prompt and a completion. */
  | 'givenTurn'
  | 'maskHistory'
  /** Learned in another document of the row. */
  | 'otherDocument'
  | 'template'
  | 'text'
  | 'firstToken';

export interface MaskSpan {
  /** First place in the document. */
  start: number;
  /** One past the last. */
  end: number;
  learned: boolean;
  rule: MaskRule;
}

export interface MaskReasons {
  /** They cover the document without a gap. */
  spans: MaskSpan[];
  /** Tokens that max_length cut off its end. */
  truncatedTokens: number;
  /** Whether white space was taken off an answer's beginning. */
  trimmed: boolean;
  /** Whether answers to it are sampled, and nothing of it is learned. */
  prompt: boolean;
}

type Masked = Pick<Document, 'inputIds' | 'labels' | 'truncatedTokens'>;

/**
 * @param row what the document was made of @param document one of the row's
 * @throws Error where the document is none of this row
 */
export function maskReasons(
  row: Row,
  document: Masked,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
): MaskReasons {
  const base = { truncatedTokens: document.truncatedTokens, trimmed: false, prompt: false };
  const { length } = document.inputIds;
  const prompt = promptOf(row, settings.preferences);
  if (prompt) {
    const turns: Conversation = { kind: 'chat', ...prompt, answersFrom: prompt.messages.length };
    const made = prepared(turns, settings);
    const spans = spansOf({ turns, made, document, tokenizer, settings, learnedAs: 'answer' });
    return { ...base, spans, prompt: true };
  }
  if (row.kind === 'text') {
    const first = { start: 0, end: 1, learned: false, rule: 'firstToken' as const };
    return { ...base, spans: [first, { start: 1, end: length, learned: true, rule: 'text' }] };
  }
  for (const { turns, learnedAs, ownSettings } of conversationsOf(row, settings))
    for (const { made, trimmed } of documentCandidates(turns, ownSettings)) {
      const { inputIds, labels } = encodePrepared(made, tokenizer, ownSettings);
      if (!labels || inputIds.length !== length + document.truncatedTokens) continue;
      if (!document.inputIds.every((id, i) => id === inputIds[i])) continue;
      const spans = spansOf({ turns, made, document, tokenizer, settings: ownSettings, learnedAs });
      return { ...base, spans, trimmed };
    }
  throw new Error(`the document is none of row ${row.line}`);
}

interface Reading {
  turns: Conversation;
  learnedAs: MaskRule;
  ownSettings: EncodingSettings;
}

/** The conversations that a row's documents are of, and what their learned answers are. */
function conversationsOf(row: Row, settings: DocumentSettings): Reading[] {
  if (row.kind === 'preference') {
    const ownSettings = { ...settings, maskHistory: false };
    return [
      { turns: row.chosen, learnedAs: 'chosen', ownSettings },
      { turns: row.rejected, learnedAs: 'rejected', ownSettings },
    ];
  }
  if (row.kind !== 'chat') return [];
  const learnedAs = row.label === undefined ? 'answer' : row.label ? 'chosen' : 'rejected';
  return [{ turns: row, learnedAs, ownSettings: settings }];
}

interface SpanSource {
  turns: Conversation;
  made: Prepared;
  document: Masked;
  tokenizer: ChatTokenizer;
  settings: EncodingSettings;
  learnedAs: MaskRule;
}

function spansOf(source: SpanSource): MaskSpan[] {
  const { length } = source.document.inputIds;
  let spans: MaskSpan[] = [];
  let start = 0;
  const roles: MaskRule[] = [];
  for (const { end, rule } of boundaries(source)) {
    roles.push(rule);
    if (end <= start || start >= length) continue;
    spans = [...spans, ...byLabel(start, Math.min(end, length), merged(roles), source)];
    start = end;
    roles.length = 0;
  }
  return start < length ? [...spans, ...byLabel(start, length, roles.at(-1) ?? 'template', source)] : spans;
}

/** What several turns that have the same ids are. */
function merged(rules: readonly MaskRule[]): MaskRule {
  const last = rules.at(-1)!;
  // An answer that is written otherwise once more turns follow has no end that could be looked for.
  if (rules.includes('otherDocument')) return 'otherDocument';
  const hasSystem = rules.some((rule) => rule === 'systemOfRecipe' || rule === 'systemOfRow');
  return hasSystem && last === 'question' && rules.length > 1 ? 'systemAndQuestion' : last;
}

/** Ends of turns and of generation prompts, as far as they are ends of whole tokens. */
function boundaries(source: SpanSource): { end: number; rule: MaskRule }[] {
  const { made, document, tokenizer, settings } = source;
  const { messages, learned, tools } = made;
  const anyThinks = learned.some((turn) => isThinking(messages[turn]!));
  const found: { end: number; rule: MaskRule }[] = [];
  const note = (count: number, addGenerationPrompt: boolean, thinks: boolean, rule: MaskRule) => {
    let ids: number[];
    try {
      const { dateString } = settings;
      const options = { addGenerationPrompt, dateString, tools, thinks };
      ids = tokenizer.encode(tokenizer.render(messages.slice(0, count), options));
    } catch (error) {
      // A template may refuse a conversation's mere beginning, such as a system message by itself.
      if (error instanceof TemplateError) return void found.push({ end: 0, rule });
      throw error;
    }
    const { inputIds } = document;
    const isBeginning = ids.every((id, i) => i >= inputIds.length || id === inputIds[i]);
    found.push({ end: isBeginning ? ids.length : 0, rule });
  };
  messages.forEach((message, turn) => {
    if (message.role === 'assistant') note(turn, true, isThinking(message), 'generationPrompt');
    note(turn + 1, false, anyThinks, ruleOf(message, turn, source));
  });
  if (messages.at(-1)?.role !== 'assistant') note(messages.length, true, false, 'generationPrompt');
  return found;
}

function ruleOf({ role, tool_calls: calls }: ChatMessage, turn: number, source: SpanSource): MaskRule {
  const { turns, made, settings, learnedAs } = source;
  const isRecipes = made.messages.length > 0 && turns.messages[0]?.role !== 'system';
  if (role === 'system') return isRecipes ? 'systemOfRecipe' : 'systemOfRow';
  if (role === 'user') return 'question';
  if (role !== 'assistant') return 'toolResult';
  if (made.learned.includes(turn)) return learnedAs === 'answer' && calls ? 'calls' : learnedAs;
  const own = turn - (isRecipes && made.messages[0]?.role === 'system' ? 1 : 0);
  if (turns.unlearned?.includes(own)) return 'unlearned';
  if (own < turns.answersFrom) return 'givenTurn';
  return settings.maskHistory ? 'maskHistory' : 'otherDocument';
}

/** Of a stretch its parts that are learned and that are not: the labels have the last word. */
function byLabel(start: number, end: number, rule: MaskRule, source: SpanSource): MaskSpan[] {
  const { labels } = source.document;
  const isLearning = ['answer', 'calls', 'chosen', 'rejected'].includes(rule);
  const spans: MaskSpan[] = [];
  for (let at = start; at < end;) {
    const learned = labels[at] !== IGNORE_INDEX;
    let to = at;
    while (to < end && (labels[to] !== IGNORE_INDEX) === learned) to++;
    const fits = learned === isLearning;
    const named = fits ? rule : learned ? 'answer' : 'template';
    const thoughts = named === 'answer' ? endOfThoughts(at, to, source) : at;
    if (thoughts > at) spans.push({ start: at, end: thoughts, learned, rule: 'thoughts' });
    if (thoughts < to) spans.push({ start: thoughts, end: to, learned, rule: named });
    at = to;
  }
  return spans;
}

/** One past the token that closes the thoughts of an answer; its start where it has none. */
function endOfThoughts(start: number, end: number, { document, tokenizer }: SpanSource): number {
  for (let at = start; at < end; at++)
    if (tokenizer.tokenText(document.inputIds[at]!).includes('</think>')) return at + 1;
  return start;
}
