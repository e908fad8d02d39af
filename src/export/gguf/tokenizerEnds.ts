/** The chat template and the ends of an answer, as GGUF metadata. */
import { DEFAULT_DATE_STRING } from '../../data/template/chatTemplate.ts';
import { templateSource } from '../../data/template/templateSource.ts';
import { parseFile } from '../../data/tokenizer/modelFiles.ts';
import type { GgufValue } from '../../formats/ggufWriter.ts';
import type { ModelTokenizer } from './modelTokenizer.ts';

/** Metadata that are written, not copied. */
export type Written = Exclude<GgufValue, { type: 'copied' }>;
export type Keys = ReadonlyMap<string, Written>;

/**
 * The template, and the token that ended answers in the training as the file's end of text and end of turn;
 * where a template prints another `eos_token`, that stays, and the trained one is the end of turn.
 */
export function endVariants({ chat, files }: ModelTokenizer): Keys[] {
  if (chat === null) return [new Map()];
  const value = pinned(templateSource(files, (name) => parseFile(files, name)));
  const template = ['tokenizer.chat_template', { type: 'string', value }] as const;
  const end = chat.endTokenIds.at(-1);
  if (end === undefined) return [new Map([template])];
  const id = (token: number) => ({ type: 'uint32' as const, value: token });
  const other = chat.stopTokenIds.find((stop) => stop !== end);
  const variant = (eos: number): Keys =>
    new Map<string, Written>([
      template,
      ['tokenizer.ggml.eos_token_id', id(eos)],
      ['tokenizer.ggml.eot_token_id', id(end)],
      ...(other === undefined ? [] : [['tokenizer.ggml.eom_token_id', id(other)] as const]),
    ]);
  return chat.eosTokenId === null || chat.eosTokenId === end
    ? [variant(end)]
    : [variant(end), variant(chat.eosTokenId)];
}

/**
 * The template with the choices of the training ahead: the date that it prints, and thinking switched off.
 */
export function pinned(template: string): string {
  const date = /\bdate_string\b/.test(template) ? `{%- set date_string = "${DEFAULT_DATE_STRING}" %}` : '';
  const thinking = /\benable_thinking\b/.test(template) ? '{%- set enable_thinking = false %}' : '';
  const pins = date + thinking;
  return pins === '' || template.startsWith(pins) ? template : pins + template;
}
