/** Renders messages by the tokenizer's own chat template, in the sandboxed engine of pythonJinja.ts, to the text that Python's transformers gives. */
import { UserError } from '../lib/errors.ts';
import { PythonTemplate } from './pythonJinja.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** What Llama 3.2's template takes for today where nobody pinned a date. */
export const DEFAULT_DATE_STRING = '26 Jul 2024';

export interface RenderOptions {
  addGenerationPrompt: boolean;
  /** As templates print it: `26 Jul 2024`. */
  dateString: string;
  /** The switch that templates of models that can think have; not set: as the template has it by itself. */
  enableThinking?: boolean;
}

export class ChatTemplate {
  private readonly template: PythonTemplate;

  /** @param specialTokens bos_token, eos_token … as text, as templates name them @throws UserError where the template cannot be parsed */
  constructor(
    source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
  ) {
    try {
      this.template = new PythonTemplate(source);
    } catch (error) {
      throw new UserError(`The tokenizer's chat template cannot be read: ${message(error)}. Use a model whose template Finetab understands.`);
    }
  }

  /** @throws TemplateError with what the template says is wrong with these messages */
  render(messages: readonly ChatMessage[], { addGenerationPrompt, dateString, enableThinking }: RenderOptions): string {
    try {
      return this.template.render(
        {
          ...this.specialTokens,
          messages,
          add_generation_prompt: addGenerationPrompt,
          date_string: dateString,
          tools: null,
          documents: null,
          ...(enableThinking === undefined ? {} : { enable_thinking: enableThinking }),
        },
        today(dateString),
      );
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

/** The day that a date string names; one that names none is the default's. */
function today(dateString: string): Date {
  const time = Date.parse(`${dateString} UTC`);
  return new Date(Number.isNaN(time) ? Date.parse(`${DEFAULT_DATE_STRING} UTC`) : time);
}
