/**
 * The address of an OpenAI-compatible server on this computer (Ollama, LM Studio, llama.cpp) that this visit
 * may ask. The page's own address names it, `?answers=http://localhost:11434`: the policy of a visit can only
 * be narrowed while the page is open.
 */
import { t } from '../../language/messages.svelte.ts';
import { UserError } from '../../../lib/errors.ts';

/** As the policy in index.html has them. */
const HOSTS = ['localhost', '127.0.0.1'];

/** Addresses at which such servers listen by default. */
export const USUAL_ADDRESSES: readonly [program: string, address: string][] = [
  ['Ollama', 'http://localhost:11434'],
  ['LM Studio', 'http://localhost:1234'],
  ['llama.cpp', 'http://localhost:8080'],
];

/** @returns its origin @throws UserError where it is not on this computer */
export function answersOrigin(address: string): string {
  let url: URL;
  try {
    url = new URL(address.includes('://') ? address : `http://${address}`);
  } catch {
    throw new UserError(t.data.noAddress(address));
  }
  if (url.protocol !== 'http:' || !HOSTS.includes(url.hostname))
    throw new UserError(t.data.notOnThisComputer(url.origin));
  return url.origin;
}

/** The server that the page's address names; null where it names none on this computer. */
export function answersEndpoint(href = location.href): string | null {
  const named = new URL(href).searchParams.get('answers');
  if (named === null || named === '') return null;
  try {
    return answersOrigin(named);
  } catch {
    // The panel says so when the address is typed there.
    return null;
  }
}

/** The page's address with the server named in it. */
export function addressWith(origin: string, href = location.href): string {
  const url = new URL(href);
  url.searchParams.set('answers', origin);
  return url.href;
}
