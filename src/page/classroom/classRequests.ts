/** Requests to the teacher's server, which lies beside the page. */
import { t } from '../language/messages.svelte.ts';
import { UserError } from '../../lib/errors.ts';

export interface ClassRequest {
  method?: 'GET' | 'POST' | 'PUT';
  /** Bearer token, or the board's secret. */
  token: string;
  json?: unknown;
  body?: Blob;
  /** Is sent even while the page is being closed. */
  keepalive?: boolean;
}

/** The server took the token for none of its own: the page has to join again. */
export class NotInClassError extends UserError {
  override name = 'NotInClassError';
}

/** @param path such as "class/news" @throws UserError with the server's own sentence where it refuses */
export async function classRequest(
  path: string,
  { method = 'GET', token, json, body, keepalive = false }: ClassRequest,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, `${location.origin}/`), {
      method,
      keepalive,
      cache: 'no-store',
      headers: {
        authorization: `Bearer ${token}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      body: json === undefined ? body : JSON.stringify(json),
    });
  } catch (error) {
    throw new UserError(t.classroom.teacherSilent, { cause: error });
  }
  if (response.ok) return response;
  const said = await sentenceOf(response);
  if (response.status === 401) throw new NotInClassError(said);
  throw new UserError(said);
}

async function sentenceOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { error: string }).error;
  } catch {
    // Another kind of server.
    return t.classroom.noClassHere(response.status);
  }
}

/** @param code of the class */
export function bundleUrl(code: string): string {
  const url = new URL('class/bundle.finetab', `${location.origin}/`);
  url.searchParams.set('code', code);
  return url.href;
}
