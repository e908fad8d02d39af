/** What a person writes to name a model on the Hub, and which host the Hub is. */
import { UserError } from './errors.ts';

export const HUB = 'https://huggingface.co';

export interface HubAddress {
  /** "owner/name" */
  id: string;
  /** Branch, tag or commit. */
  revision: string;
}

const EXAMPLE = 'Write owner/name, such as HuggingFaceTB/SmolLM2-135M-Instruct, or owner/name@revision.';
const HUB_HOSTS = ['huggingface.co', 'www.huggingface.co', 'hf.co'];

/** Whether a text names a model on the Hugging Face Hub: "owner/name". */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(text);
}

/**
 * @param text "owner/name", "owner/name@revision", or the address of the model's page or of one of its files
 * @throws UserError where it names no model
 */
export function parseHubAddress(text: string): HubAddress {
  const written = text.trim();
  const parts = /^(https?:\/\/|(www\.)?huggingface\.co\/|hf\.co\/)/i.test(written)
    ? fromUrl(written)
    : fromName(written);
  if (!parts || !isHubId(parts.id) || parts.revision === '' || parts.revision.includes('..'))
    throw new UserError(`${JSON.stringify(text)} is not the name of a model on the Hub. ${EXAMPLE}`);
  return parts;
}

function fromName(written: string): HubAddress {
  const at = written.indexOf('@');
  return at < 0
    ? { id: written, revision: 'main' }
    : { id: written.slice(0, at), revision: written.slice(at + 1) };
}

/** Of an address such as https://huggingface.co/owner/name/blob/main/config.json. */
function fromUrl(written: string): HubAddress | null {
  const withScheme = /^https?:/i.test(written) ? written : `https://${written}`;
  const url = URL.parse(withScheme);
  if (!url || !HUB_HOSTS.includes(url.hostname)) return null;
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts.length < 2) return null;
  const [owner, name, kind, ...rest] = parts.map(decoded);
  const id = `${owner}/${name}`;
  if (!['tree', 'blob', 'resolve', 'raw', 'commit'].includes(kind ?? '') || rest[0] === undefined)
    return { id, revision: 'main' };
  // The only revisions with a slash that the Hub's own addresses write unencoded.
  const refs = rest[0] === 'refs' && rest.length >= 3;
  return { id, revision: refs ? rest.slice(0, 3).join('/') : rest[0] };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone per cent sign: the part is not encoded.
    return part;
  }
}

/**
 * The Hub's address without a slash at its end.
 * @param endpoint another hub than huggingface.co, on this machine
 * @throws UserError for any other host: a token must not reach it
 */
export function hubBase(endpoint?: string): string {
  if (!endpoint) return HUB;
  const url = URL.parse(endpoint);
  if (url && (url.origin === HUB || isLoopback(url))) return (url.origin + url.pathname).replace(/\/+$/, '');
  throw new UserError(
    `This page downloads models from ${new URL(HUB).host} only, or from a hub on this computer (http://localhost:…), not from ${url?.host || JSON.stringify(endpoint)}. Remove "?hub=" from the page's address.`,
  );
}

/** Whether an address is one of this computer's own. */
export function isLoopback(url: URL): boolean {
  return (
    /^https?:$/.test(url.protocol) &&
    (url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d+){3}$/.test(url.hostname)) &&
    url.username === '' &&
    url.password === ''
  );
}
