/**
 * Renders messages by the tokenizer's own chat template, in the sandboxed engine of pythonJinja.ts, to the
 * text that Python's transformers gives.
 */
import { UserError, messageOf } from '../../lib/errors.ts';
import { foldSystem, type ChatMessage } from './chatMessage.ts';
import { PythonTemplate } from './pythonJinja.ts';
import { pythonJson } from './pythonText.ts';
import { TemplateLimitError } from './renderBudget.ts';

export type { ChatMessage };

/** What Llama 3.2's template takes for today where nobody pinned a date. */
export const DEFAULT_DATE_STRING = '26 Jul 2024';

export interface RenderOptions {
  addGenerationPrompt: boolean;
  /** As templates print it: `26 Jul 2024`. */
  dateString: string;
  /** Functions that may be called, as JSON schemas. */
  tools?: readonly unknown[];
  /** Whether thinking is left on where the template has a switch for it. */
  thinks?: boolean;
}

/** What a template prints of a conversation beyond texts. */
export interface TemplateAbilities {
  tools: boolean;
  toolCalls: boolean;
  toolResults: boolean;
  /** Key of a turn under which the template looks for what the assistant thought; null: it prints none. */
  reasoningKey: string | null;
}

/** Texts of a conversation by which a template is asked what it does with them. */
const PROBE = {
  system: 'probe of the system',
  question: 'probe of the question',
  answer: 'probe of the answer',
  next: 'probe of what follows',
  tool: 'probe_of_a_tool',
  result: 'probe of a result',
};
const PROBE_TOOL = {
  type: 'function',
  function: {
    name: PROBE.tool,
    description: 'A probe',
    parameters: { type: 'object', properties: { value: { type: 'string' } }, required: [] },
  },
};

export class ChatTemplate {
  /** Without one, system messages are folded into the first question. */
  readonly hasSystemRole: boolean;
  /** Whether the template lets thinking be switched off, which `render` does. */
  readonly switchesThinking: boolean;
  /** The system message is printed with the last question only, so that it moves as a conversation grows. */
  readonly movesSystem: boolean;
  readonly abilities: TemplateAbilities;
  /** Arguments of calls are given as JSON text where the template cannot print an object. */
  private readonly wantsArgumentsAsText: boolean;
  private readonly template: PythonTemplate;

  /**
   * @param specialTokens bos_token, eos_token … as text, as templates name them
   * @throws UserError where the template cannot be parsed
   */
  constructor(source: string, specialTokens: Readonly<Record<string, string>>) {
    try {
      this.template = new PythonTemplate(source, { ...specialTokens, documents: null });
    } catch (error) {
      if (error instanceof TemplateLimitError) throw error;
      throw new UserError(
        `The tokenizer's chat template cannot be read: ${isRangeError(error) ? TOO_DEEP : messageOf(error)}. Use a model whose template Finetab understands.`,
      );
    }
    this.switchesThinking = /\benable_thinking\b/.test(source);
    this.movesSystem = this.printsSystemLast();
    this.hasSystemRole = this.takesSystemRole() && !this.movesSystem;
    this.wantsArgumentsAsText =
      this.probeCall({ value: 'x' }) === undefined && this.probeCall('{"value": "x"}') !== undefined;
    this.abilities = this.findAbilities(source);
  }

  /**
   * Thinking is off where the template has a switch for it.
   * @throws TemplateError with what the template says is wrong with these messages
   */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.renderExactly(this.hasSystemRole ? messages : foldSystem(messages), {
      ...options,
      enableThinking: options.thinks ?? false,
    });
  }

  /**
   * The messages as they are.
   * @param enableThinking undefined: as the template has it by itself
   * @throws TemplateError
   */
  renderExactly(
    messages: readonly ChatMessage[],
    { addGenerationPrompt, dateString, tools, enableThinking }: RenderOptions & { enableThinking?: boolean },
  ): string {
    try {
      return this.template.render(
        {
          messages: messages.map((turn) => this.asTemplatesHaveIt(turn)),
          add_generation_prompt: addGenerationPrompt,
          date_string: dateString,
          tools: tools ?? null,
          ...(enableThinking === undefined ? {} : { enable_thinking: enableThinking }),
        },
        today(dateString),
      );
    } catch (error) {
      if (error instanceof TemplateLimitError) throw error;
      throw new TemplateError(isRangeError(error) ? TOO_DEEP : messageOf(error));
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

  private asTemplatesHaveIt({ reasoning, tool_calls, ...turn }: ChatMessage): Record<string, unknown> {
    const key = this.abilities?.reasoningKey;
    return {
      ...turn,
      ...(reasoning !== undefined && key ? { [key]: reasoning } : {}),
      ...(tool_calls
        ? {
            tool_calls: tool_calls.map((call) => ({
              ...call,
              function: { ...call.function, arguments: this.argumentsOf(call.function.arguments) },
            })),
          }
        : {}),
    };
  }

  private argumentsOf(value: unknown): unknown {
    return this.wantsArgumentsAsText && typeof value !== 'string' ? pythonJson(value) : value;
  }

  private findAbilities(source: string): TemplateAbilities {
    const user: ChatMessage = { role: 'user', content: PROBE.question };
    const called = this.probeCall(this.wantsArgumentsAsText ? '{"value": "x"}' : { value: 'x' }) ?? '';
    return {
      tools: this.probe([user], [PROBE_TOOL])?.includes(PROBE.tool) ?? false,
      toolCalls: called.includes(PROBE.tool),
      toolResults: called.includes(PROBE.result),
      reasoningKey:
        ['reasoning_content', 'thinking', 'reasoning'].find((key) =>
          new RegExp(`\\.${key}\\b(?!_)|['"]${key}['"]`).test(source),
        ) ?? null,
    };
  }

  /**
   * A conversation in which a tool is called with these arguments and answers; undefined where the template
   * refuses it.
   */
  private probeCall(args: unknown): string | undefined {
    const id = 'callprobe';
    return this.probe([
      { role: 'user', content: PROBE.question },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ type: 'function', id, function: { name: PROBE.tool, arguments: args } }],
      },
      { role: 'tool', content: PROBE.result, name: PROBE.tool, tool_call_id: id },
      { role: 'assistant', content: PROBE.answer },
    ]);
  }

  private printsSystemLast(): boolean {
    const text = this.probe([
      { role: 'system', content: PROBE.system },
      { role: 'user', content: PROBE.question },
      { role: 'assistant', content: PROBE.answer },
      { role: 'user', content: PROBE.next },
    ]);
    return text !== undefined && text.indexOf(PROBE.system) > text.indexOf(PROBE.question);
  }

  private takesSystemRole(): boolean {
    const user: ChatMessage = { role: 'user', content: PROBE.question };
    if (this.probe([user]) === undefined) return true;
    return this.probe([{ role: 'system', content: PROBE.system }, user])?.includes(PROBE.system) ?? false;
  }

  private probe(messages: readonly ChatMessage[], tools?: readonly unknown[]): string | undefined {
    try {
      return this.renderExactly(messages, {
        addGenerationPrompt: false,
        tools,
        dateString: DEFAULT_DATE_STRING,
        enableThinking: false,
      });
    } catch (error) {
      if (error instanceof TemplateError) return undefined;
      throw error;
    }
  }
}

const TOO_DEEP = 'it is nested too deeply, or calls itself without an end';

/** What engines throw where the stack overflows, or a text or list would be too long. */
function isRangeError(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'InternalError');
}

/** A template refused the messages (a role it does not know, an order it forbids). */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/** The day that a date string names; one that names none is the default's. */
function today(dateString: string): Date {
  const time = Date.parse(`${dateString} UTC`);
  return new Date(Number.isNaN(time) ? Date.parse(`${DEFAULT_DATE_STRING} UTC`) : time);
}
