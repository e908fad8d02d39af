/** A conversation's turns as they reach a chat template. */

/** A call as OpenAI writes it, its arguments as an object, or as text where they are no JSON object. */
export interface ToolCall {
  type: 'function';
  id?: string;
  function: { name: string; arguments: unknown };
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of the assistant: what it calls in this turn, after its content. */
  tool_calls?: ToolCall[];
  /** Of a tool: the function whose result this is, and the call that it answers. */
  name?: string;
  tool_call_id?: string;
  /** Of the assistant: what it thought before it answered. A template has its own key for it. */
  reasoning?: string;
}

/**
 * The system's text, an empty line and the first question as one message: what Gemma's users do, and Gemma
 * 3's template by itself.
 */
export function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
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
