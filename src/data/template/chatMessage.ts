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
