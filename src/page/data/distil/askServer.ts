/** Asks an OpenAI-compatible server on this computer, and says what to do where it does not answer. */
import { UserError, messageOf } from '../../../lib/errors.ts';

export interface Question {
  model: string;
  system: string | null;
  prompt: string;
  maxTokens: number;
  temperature: number;
}

/** Names of the server's models. @throws UserError */
export async function modelsOf(origin: string, signal?: AbortSignal): Promise<string[]> {
  const found = (await ask(`${origin}/v1/models`, { signal })) as { data?: { id?: unknown }[] } | null;
  const names = (found?.data ?? []).map(({ id }) => id).filter((id) => typeof id === 'string');
  if (names.length === 0)
    throw new UserError(`${origin} has no model. Load one there, such as with "ollama pull", and ask again.`);
  return names;
}

/** The answer to one prompt. @throws UserError */
export async function answerOf(origin: string, question: Question, signal?: AbortSignal): Promise<string> {
  const { model, system, prompt, maxTokens, temperature } = question;
  const messages = [
    ...(system === null ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: prompt },
  ];
  const made = (await ask(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, max_tokens: maxTokens, temperature, stream: false }),
    signal,
  })) as { choices?: { message?: { content?: unknown }; finish_reason?: unknown }[] } | null;
  const choice = made?.choices?.[0];
  const text = choice?.message?.content;
  if (typeof text !== 'string')
    throw new UserError(
      `${origin} gave no answer: is it an OpenAI-compatible server, with /v1/chat/completions?`,
    );
  if (choice!.finish_reason === 'length')
    throw new UserError(
      `The answer was cut off after ${maxTokens} tokens. Allow more, or ask something shorter.`,
    );
  return text;
}

async function ask(url: string, request: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { ...request, credentials: 'omit', referrerPolicy: 'no-referrer' });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new UserError(await whyUnreachable(url));
  }
  const text = await response.text();
  if (!response.ok)
    throw new UserError(`${url} answered ${response.status}: ${errorIn(text).slice(0, 300) || 'no reason'}.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(
      `${url} answered with no JSON: ${messageOf(error)}. Is it an OpenAI-compatible server?`,
    );
  }
}

function errorIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    return (typeof error === 'string' ? error : error?.message) ?? text;
  } catch {
    // No JSON: the server's own words are shown as they are.
    return text;
  }
}

/** A browser does not say why: a request without reading the answer tells whether the server is there. */
async function whyUnreachable(url: string): Promise<string> {
  const { origin } = new URL(url);
  const isThere = await fetch(origin, { mode: 'no-cors', credentials: 'omit' }).then(
    () => true,
    () => false,
  );
  const here = typeof location === 'undefined' ? 'this page' : location.origin;
  if (isThere)
    return `${origin} is there and does not let this page read its answers (CORS). Ollama: start it with OLLAMA_ORIGINS=${here} in its environment. LM Studio: turn on "Enable CORS" in the server's settings. llama.cpp's server allows it by itself.`;
  return `${origin} cannot be reached. Is the server running, at this port? A host that sends a policy of its own may forbid it too, and a browser may ask whether this page may reach devices of your network: allow it.`;
}
