/** Renders messages by the tokenizer's own chat template, in the sandboxed engine of pythonJinja.ts, to the text that Python's transformers gives. */
import { UserError } from '../../lib/errors.ts';
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
}

/** KernelBenchmark for texts of a conversation where a template is asked what it does with them. */
const PROBE = {
  system: 'probe of the system',
  question: 'probe of the question',
  answer: 'probe of the answer',
  next: 'probe of what follows',
};

export class ChatTemplate {
  /** Without one, system messages are folded into the first question. */
  readonly hasSystemRole: boolean;
  /** Whether the template lets thinking be switched off, which `render` does. */
  readonly switchesThinking: boolean;
  private readonly template: PythonTemplate;

  /** @param specialTokens bos_token, eos_token … as text, as templates name them @throws UserError where the template cannot be parsed */
  constructor(
    source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
  ) {
    try {
      this.template = new PythonTemplate(source);
    } catch (error) {
      throw new UserError(
        `The tokenizer's chat template cannot be read: ${message(error)}. Use a model whose template Finetab understands.`,
      );
    }
    this.switchesThinking = /\benable_thinking\b/.test(source);
    this.hasSystemRole = this.takesSystemRole();
  }

  /** Thinking is off where the template has a switch for it. @throws TemplateError with what the template says is wrong with these messages */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.renderExactly(this.hasSystemRole ? messages : foldSystem(messages), {
      ...options,
      enableThinking: false,
    });
  }

  /** The messages as they are. @param enableThinking undefined: as the template has it by itself @throws TemplateError */
  renderExactly(
    messages: readonly ChatMessage[],
    { addGenerationPrompt, dateString, enableThinking }: RenderOptions & { enableThinking?: boolean },
  ): string {
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

  /** What the template writes after an answer: at the end of a conversation, and before another question. */
  afterAnswer(): string[] {
    const answered: ChatMessage[] = [
      { role: 'user', content: PROBE.question },
      { role: 'assistant', content: PROBE.answer },
    ];
    const end = this.probe(answered)?.split(PROBE.answer).at(-1);
    const between = this.probe([...answered, { role: 'user', content: PROBE.next }])
      ?.split(PROBE.answer)
      .at(-1)
      ?.split(PROBE.next)[0];
    return [end, between].filter((text) => text !== undefined);
  }

  private takesSystemRole(): boolean {
    const user: ChatMessage = { role: 'user', content: PROBE.question };
    if (this.probe([user]) === undefined) return true;
    return this.probe([{ role: 'system', content: PROBE.system }, user])?.includes(PROBE.system) ?? false;
  }

  private probe(messages: readonly ChatMessage[]): string | undefined {
    try {
      return this.renderExactly(messages, {
        addGenerationPrompt: false,
        dateString: DEFAULT_DATE_STRING,
        enableThinking: false,
      });
    } catch (error) {
      if (error instanceof TemplateError) return undefined;
      throw error;
    }
  }
}

/** The system's text, an empty line and the first question as one message: what Gemma's users do, and Gemma 3's template by itself. */
function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system' || first?.role !== 'user') return messages;
  return [
    {
      role: 'user',
      content: system.content.trim() === '' ? first.content : `${system.content}\n\n${first.content}`,
    },
    ...rest,
  ];
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

/**
 * A tokenizer's chat template: chat_template.jinja, else chat_template.json, else tokenizer_config.json's, which is one text or a list of
 * named ones of which "default" counts. @param parse reads one of the files as JSON @throws UserError where there is none
 */
export function templateSource(
  files: Readonly<Record<string, string | undefined>>,
  parse: (name: string) => Record<string, unknown>,
): string {
  if (files['chat_template.jinja'] !== undefined) return files['chat_template.jinja'];
  const found =
    files['chat_template.json'] === undefined ? undefined : parse('chat_template.json').chat_template;
  const template = found ?? parse('tokenizer_config.json').chat_template;
  if (typeof template === 'string') return template;
  if (Array.isArray(template)) {
    const named = template as { name?: unknown; template?: unknown }[];
    const chosen = named.find(({ name }) => name === 'default');
    if (typeof chosen?.template === 'string') return chosen.template;
    throw new UserError(
      `The tokenizer's chat templates (${named.map(({ name }) => JSON.stringify(name)).join(', ')}) have none named "default". Put the one to use into a file chat_template.jinja beside the model's files and drop them again.`,
    );
  }
  throw new UserError(
    "The tokenizer has no chat template (chat_template in tokenizer_config.json, or a file chat_template.jinja). Use an instruct or chat model, or put the template to use into a file chat_template.jinja beside the model's files and drop them again.",
  );
}
