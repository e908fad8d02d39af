/**
 * A chat template as Ollama's Modelfile has it: a Go template over the messages. It is made from what the
 * model's own template renders, and compared with it, since Ollama does not read the jinja of a tokenizer.
 */
import { UserError } from '../../lib/errors.ts';

export interface TemplateMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The model's own template. @returns the prompt's text; throws where the template refuses the messages */
export type RenderPrompt = (messages: readonly TemplateMessage[], addGenerationPrompt: boolean) => string;

/** What is written between the contents of a conversation; null where the template takes no such message. */
export interface PromptSegments {
  /** Before a first question without a system message. */
  startToUser: string;
  /** Before a system message, and between it and the first question. */
  startToSystem: string | null;
  systemToUser: string | null;
  /** Before an answer that is history, and before the next question. */
  userToAssistant: string;
  assistantToUser: string;
  /** After the last question: the generation prompt. */
  generationPrompt: string;
}

/** Contents that no template has text like, and that none cuts or trims. */
const SYSTEM = 'KqSystemZx';
const QUESTIONS = ['KqFirstZx', 'KqSecondZx', 'KqThirdZx'];
const ANSWERS = ['KqReplyZx', 'KqOtherZx'];

const message = (role: TemplateMessage['role'], content: string): TemplateMessage => ({ role, content });

/**
 * @throws UserError where the model's template is no sequence of fixed texts around the contents, so that no
 *   template of Ollama's gives the prompts that were trained
 */
export function promptSegments(render: RenderPrompt): PromptSegments {
  const question = message('user', QUESTIONS[0]);
  const history = [question, message('assistant', ANSWERS[0]), message('user', QUESTIONS[1])];
  const [startToUser, generationPrompt] = around(render([question], true), [QUESTIONS[0]]);
  const [, userToAssistant, assistantToUser] = around(render(history, true), [
    QUESTIONS[0],
    ANSWERS[0],
    QUESTIONS[1],
  ]);
  const withSystem = attempt(() => render([message('system', SYSTEM), question], true));
  const [startToSystem, systemToUser] =
    withSystem?.includes(SYSTEM) === true ? around(withSystem, [SYSTEM, QUESTIONS[0]]) : [null, null];
  const segments: PromptSegments = {
    startToUser,
    startToSystem,
    systemToUser,
    userToAssistant,
    assistantToUser,
    generationPrompt,
  };
  check(render, segments);
  return segments;
}

/** The prompt that the segments give: what Ollama will render. */
export function renderSegments(segments: PromptSegments, messages: readonly TemplateMessage[]): string {
  let text = '';
  let previous: TemplateMessage['role'] | 'start' = 'start';
  for (const { role, content } of messages) {
    text += transition(segments, previous, role) + content;
    previous = role;
  }
  return text + (previous === 'user' ? segments.generationPrompt : '');
}

/**
 * The text of TEMPLATE in a Modelfile. `omitted`: what the runtime writes ahead by itself, as the
 * beginning-of-text token.
 */
export function ollamaTemplate(segments: PromptSegments, omitted = ''): string {
  const { startToUser, startToSystem, systemToUser, userToAssistant, assistantToUser, generationPrompt } =
    segments;
  const first = (text: string) => literal(text.startsWith(omitted) ? text.slice(omitted.length) : text);
  const system =
    startToSystem === null
      ? ''
      : `{{- if eq .Role "system" }}${first(startToSystem)}{{ .Content }}{{ end }}\n`;
  const afterSystem =
    systemToUser === null ? '' : `{{ else if eq $previous "system" }}${literal(systemToUser)}`;
  return (
    '{{- $previous := "" }}\n' +
    '{{- range .Messages }}\n' +
    system +
    `{{- if eq .Role "user" }}{{ if eq $previous "" }}${first(startToUser)}${afterSystem}` +
    `{{ else }}${literal(assistantToUser)}{{ end }}{{ .Content }}{{ end }}\n` +
    `{{- if eq .Role "assistant" }}${literal(userToAssistant)}{{ .Content }}{{ end }}\n` +
    '{{- $previous = .Role }}\n' +
    '{{- end }}\n' +
    `{{- if eq $previous "user" }}${literal(generationPrompt)}{{ end }}`
  );
}

/** Text that Go's template engine prints as it is, white space and braces included. */
function literal(text: string): string {
  if (text === '') return '';
  // A quoted string in an action keeps white space from being trimmed by neighbouring actions.
  return `{{ ${goString(text)} }}`;
}

/**
 * A Go string literal: JSON's escapes are Go's too, but for those of code units outside the basic plane,
 * which JSON leaves as they are.
 */
function goString(text: string): string {
  return JSON.stringify(text);
}

function transition(
  segments: PromptSegments,
  from: TemplateMessage['role'] | 'start',
  to: TemplateMessage['role'],
): string {
  if (from === 'start') return (to === 'system' ? segments.startToSystem : segments.startToUser) ?? '';
  if (from === 'system') return segments.systemToUser ?? '';
  return to === 'assistant' ? segments.userToAssistant : segments.assistantToUser;
}

/**
 * Conversations of other lengths and kinds than the segments were read from, held against the model's own
 * template.
 */
function check(render: RenderPrompt, segments: PromptSegments): void {
  const system =
    segments.startToSystem === null ? [] : [message('system', 'Be kind.\n\nAnswer in one line.')];
  const turns = [
    message('user', 'What is 2 + 2?'),
    message('assistant', 'It is 4.'),
    message('user', 'And why?\n\nTell me {{ more }}.'),
    message('assistant', 'Because.\nThat is arithmetic.'),
    message('user', 'Thanks "a lot"'),
    message('assistant', 'You are welcome.'),
    message('user', 'Ünïcode 模型 🙂'),
  ];
  for (const opening of [[], system])
    for (const count of [1, 3, 5, 7]) {
      const messages = [...opening, ...turns.slice(0, count)];
      const expected = attempt(() => render(messages, true));
      const actual = renderSegments(segments, messages);
      if (expected !== actual)
        throw new UserError(
          "This model's chat template cannot be written as a template of Ollama: for a conversation of " +
            `${messages.length} messages it gives ${excerpt(expected)}, the other form ${excerpt(actual)}. ` +
            'Use a runtime that reads the template in the GGUF file, as llama.cpp with --jinja and LM Studio do.',
        );
    }
}

/** What stands before, between and after the contents. @throws UserError where one is missing or changed */
function around(text: string, contents: readonly string[]): string[] {
  const parts: string[] = [];
  let rest = text;
  for (const content of contents) {
    const at = rest.indexOf(content);
    if (at < 0)
      throw new UserError(
        "This model's chat template leaves out or changes a message of a conversation, which no template of Ollama " +
          'can do. Use a runtime that reads the template in the GGUF file.',
      );
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + content.length);
  }
  return [...parts, rest];
}

function attempt(work: () => string): string | undefined {
  try {
    return work();
  } catch {
    // The template refuses these messages: that is an answer.
    return undefined;
  }
}

function excerpt(text: string | undefined): string {
  if (text === undefined) return 'no prompt at all';
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 40)}…${text.slice(-40)}` : text);
}
