/** Renders messages by the tokenizer's own chat template, in the sandboxed engine @huggingface/jinja, to the text that Python's transformers gives. */
import { Template } from '@huggingface/jinja';
import { UserError } from '../lib/errors.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** What Llama 3.2's template takes for today where nobody pinned a date. */
export const DEFAULT_DATE_STRING = '26 Jul 2024';

export class ChatTemplate {
  private readonly template: Template;

  /** @param specialTokens bos_token, eos_token … as text, as templates name them @throws UserError where the template cannot be parsed */
  constructor(
    source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
  ) {
    try {
      this.template = new Template(source);
    } catch (error) {
      throw new UserError(`The tokenizer's chat template cannot be read: ${message(error)}. Use a model whose template Finetab understands.`);
    }
  }

  /** @throws TemplateError with what the template says is wrong with these messages */
  render(messages: readonly ChatMessage[], { addGenerationPrompt, dateString }: { addGenerationPrompt: boolean; dateString: string }): string {
    const whitespace = pythonWhitespace(messages.map(({ content }) => content).join(''));
    try {
      const text = this.template.render({
        ...this.specialTokens,
        messages: messages.map(({ role, content }) => ({ role, content: whitespace.encode(content) })),
        add_generation_prompt: addGenerationPrompt,
        date_string: dateString,
        tools: null,
        documents: null,
      });
      return whitespace.decode(text);
    } catch (error) {
      throw new TemplateError(message(error));
    }
  }
}

/** A template refused the messages (a role it does not know, an order it forbids). */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** White space to Python's strip() but not to JavaScript's trim(). */
const ONLY_PYTHON = ['\x1c', '\x1d', '\x1e', '\x1f', '\x85'];
/** U+FEFF is white space to JavaScript only. */
const ONLY_JAVASCRIPT = '\ufeff';
const BOTH = [...'\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'];
const NEITHER = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i));

/** Swaps the characters on which strip() and trim() differ for ones on which they agree and that the text does not hold, and back. */
function pythonWhitespace(text: string): { encode(text: string): string; decode(text: string): string } {
  const swaps: [string, string][] = [];
  const free = (pool: string[]) => pool.find((candidate) => !text.includes(candidate) && !swaps.some(([, used]) => used === candidate));
  for (const character of [ONLY_JAVASCRIPT, ...ONLY_PYTHON]) {
    const stand = text.includes(character) && free(character === ONLY_JAVASCRIPT ? NEITHER : BOTH);
    if (stand) swaps.push([character, stand]);
  }
  return {
    encode: (value) => swaps.reduce((result, [from, to]) => result.replaceAll(from, to), value),
    decode: (value) => swaps.reduce((result, [from, to]) => result.replaceAll(to, from), value),
  };
}
