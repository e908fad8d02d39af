/** Asks an OpenAI-compatible server on this computer, and says what to do where it does not answer. */
import { t } from '../../language/messages.svelte.ts';
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
  if (names.length === 0) throw new UserError(t.data.serverHasNoModel(origin));
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
  if (typeof text !== 'string') throw new UserError(t.data.serverGaveNoAnswer(origin));
  if (choice!.finish_reason === 'length') throw new UserError(t.data.answerCutOff(maxTokens));
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
    throw new UserError(t.data.serverRefused(url, response.status, errorIn(text).slice(0, 300)));
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UserError(t.data.serverNoJson(url, messageOf(error)));
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
  const here = typeof location === 'undefined' ? t.data.thisPage : location.origin;
  return isThere ? t.data.serverNoCors(origin, here) : t.data.serverUnreachable(origin);
}
