/**
 * From a row to the documents that it is trained as: template, mask, limit, and the checks that nothing is
 * learned in silence.
 */
import { TemplateError } from '../../template/chatTemplate.ts';
import type { ChatTokenizer } from '../../tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../types.ts';
import { learnedTurns, type Conversation, type Row } from '../conversation.ts';
import type {
  DocumentSettings,
  PreferenceReading,
  Refusal,
  RowDocument,
  RowDocuments,
} from './documentTypes.ts';
import { beyondVocabulary, notPrinted } from './rowChecks.ts';
import { promptDocument, promptOf, promptReadingFault } from './promptDocuments.ts';
import { encodeConversation, encodeText, type EncodedDocument } from './encodeConversation.ts';

export type { DocumentSettings, PreferenceReading, Refusal, RowDocument, RowDocuments };

/** The documents of a row, or why it cannot be trained. */
export function documentsOf(
  row: Row,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
): RowDocuments | Refusal {
  try {
    return read(row, tokenizer, settings);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    if (row.kind === 'chat' && beginsWithAnswer(row, settings))
      return bad(
        `begins with the assistant: this model's chat template cannot write what stands before its first turn (${error.message.slice(0, 80)}). Begin with a question, mark that turn as only read ("train": false), or remove it.`,
      );
    return bad(
      `is refused by the model's chat template: ${error.message.slice(0, 200)}. Change the row or the system prompt.`,
    );
  }
}

function read(row: Row, tokenizer: ChatTokenizer, settings: DocumentSettings): RowDocuments | Refusal {
  if (
    !settings.preferences &&
    (row.kind === 'preference' || (row.kind === 'chat' && row.label !== undefined))
  )
    return bad(
      row.kind === 'preference'
        ? 'is a preference row (chosen and rejected), which this method cannot learn from. Use a preference method such as dpo, or write the wanted answer as "response".'
        : 'has a "label", which this method cannot learn from: an unwanted answer would be copied. Use the method kto, or remove the key.',
    );
  const fault = preferenceFault(row, settings.preferences);
  if (fault) return bad(fault);
  const prompt = promptOf(row, settings.preferences);
  if (prompt) return promptDocument(prompt, row.line, tokenizer, settings);
  switch (row.kind) {
    case 'prompt':
      return bad(
        'has a prompt and no answer. Write one, or use the method grpo, which samples its own; a validation file needs answers to compare with.',
      );
    case 'text':
      return textDocuments(row.text, row.line, tokenizer, settings);
    case 'chat': {
      const made = chatDocuments(row, row.line, tokenizer, settings);
      return 'reason' in made || row.label === undefined ? made : { ...made, label: row.label };
    }
    case 'preference': {
      const answer = (turns: Conversation) =>
        chatDocuments(turns, row.line, tokenizer, { ...settings, maskHistory: false });
      const [chosen, rejected] = [answer(row.chosen), answer(row.rejected)];
      if ('reason' in chosen) return inAnswer('chosen', chosen);
      if ('reason' in rejected) return inAnswer('rejected', rejected);
      const [ofChosen, ofRejected] = [onlyOne(chosen.documents), onlyOne(rejected.documents)];
      if (!ofChosen || !ofRejected)
        return bad(
          "cannot be masked: this model's chat template renders its answers otherwise once more turns follow. Put all but the last answer into the prompt.",
        );
      return {
        documents: [],
        pair: { chosen: ofChosen, rejected: ofRejected, line: row.line },
        trimmedAnswers: chosen.trimmedAnswers + rejected.trimmedAnswers,
        lostAnswers: [],
      };
    }
  }
}

function onlyOne<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/** Why a preference method cannot learn from a row; null where it can. */
function preferenceFault(row: Row, preferences: DocumentSettings['preferences']): string | null {
  if (typeof preferences !== 'object') return null;
  if (preferences.as === 'prompts') return promptReadingFault(row, preferences.only);
  const isLabelled = row.kind === 'chat' && row.label !== undefined;
  if (preferences.as === 'pairs' && isLabelled)
    return 'has a "label", which this method cannot learn from: it needs a "chosen" and a "rejected" answer. Use the method kto.';
  if (!preferences.only || isLabelled || row.kind === 'preference') return null;
  return preferences.as === 'pairs'
    ? 'has no "chosen" and "rejected" answer, which this method learns from. Write both, or use the method sft.'
    : 'has no "label" (true or false), which this method learns from. Write it, or use the method sft.';
}

function inAnswer(which: string, { kind, reason }: Refusal): Refusal {
  return { kind, reason: `has a "${which}" answer that cannot be used: it ${reason}` };
}

/** Whether an answer is learned that no question and no system message stands before. */
function beginsWithAnswer(row: Conversation, { systemPrompt, maskHistory }: DocumentSettings): boolean {
  return systemPrompt === null && learnedTurns(row, maskHistory)[0] === 0;
}

function bad(reason: string): Refusal {
  return { kind: 'bad', reason };
}

function chatDocuments(
  row: Conversation,
  line: number,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
): RowDocuments | Refusal {
  const cannot = notPrinted(row, tokenizer);
  if (cannot) return bad(cannot);
  const encoded = encodeConversation(row, tokenizer, settings);
  if (!encoded)
    return bad(
      "cannot be masked: with this model's chat template the tokens of a prompt are not how the tokens of prompt and answer begin, not even for each answer by itself. Remove the row, or use another model.",
    );
  const learned = learnedTurns(row, settings.maskHistory).map((turn) => row.messages[turn]!);
  const dropped = learned.find(
    ({ reasoning }) =>
      reasoning !== undefined &&
      !encoded.documents.some(({ fullText }) => fullText.includes(reasoning.trim())),
  );
  if (dropped)
    return bad(
      "has reasoning (reasoning_content) that this model's chat template leaves out. Remove the key, or write it into the answer.",
    );
  const documents: RowDocument[] = [];
  const lostAnswers: Refusal[] = [];
  for (const whole of encoded.documents) {
    const beyond = beyondVocabulary(whole.inputIds, tokenizer);
    if (beyond) return bad(beyond);
    const document = limited(whole, line, settings.maxLength);
    if (hasTarget(document)) documents.push(document);
    else if (document.truncatedTokens === 0)
      return bad('has no token to learn from after the template. Check the answer.');
    else
      lostAnswers.push({
        kind: 'limit',
        reason: `loses its whole answer: its prompt alone has ${whole.promptIds.length} tokens and max_length is ${settings.maxLength}. Raise max_length or shorten the prompt.`,
      });
  }
  const [lost] = lostAnswers;
  if (documents.length === 0 && lost) return lost;
  return { documents, trimmedAnswers: encoded.trimmedAnswers, lostAnswers };
}

function limited(
  { inputIds, labels, promptIds, question, answer }: EncodedDocument,
  line: number,
  maxLength: number,
): RowDocument {
  return {
    inputIds: inputIds.slice(0, maxLength),
    labels: labels.slice(0, maxLength),
    promptTokens: Math.min(promptIds.length, maxLength),
    truncatedTokens: Math.max(0, inputIds.length - maxLength),
    line,
    question,
    answer,
  };
}

/** A first position is no target. */
function hasTarget({ labels }: RowDocument): boolean {
  return labels.some((label, i) => i > 0 && label !== IGNORE_INDEX);
}

/**
 * A text of any length as documents of at most maxLength tokens, laid end to end: none of its ids is lost.
 */
function textDocuments(
  text: string,
  line: number,
  tokenizer: ChatTokenizer,
  { maxLength }: DocumentSettings,
): RowDocuments | Refusal {
  const { inputIds } = encodeText(text, tokenizer);
  const beyond = beyondVocabulary(inputIds, tokenizer);
  if (beyond) return bad(beyond);
  const documents: RowDocument[] = [];
  for (let start = 0; start < inputIds.length;) {
    const rest = inputIds.length - start;
    // A last document of one token would have nothing to predict it from: it takes one from the document
    // before.
    const length = rest === maxLength + 1 ? maxLength - 1 : Math.min(rest, maxLength);
    const ids = inputIds.slice(start, start + length);
    documents.push({
      inputIds: ids,
      labels: [...ids],
      promptTokens: 0,
      truncatedTokens: 0,
      line,
      question: '',
      answer: text,
    });
    start += length;
  }
  return documents.some(hasTarget)
    ? { documents, trimmedAnswers: 0, lostAnswers: [] }
    : bad('has a text of a single token: there is nothing to predict. Remove the row.');
}
