/** Another hub than huggingface.co, where the page's address names one: `?hub=http://localhost:…`. */
import { HUB, hubBase } from '../../lib/hubAddress.ts';
import { messageOf } from '../../lib/errors.ts';

/** The host that models are downloaded from and that a token is sent to. */
export interface HubChoice {
  /** Undefined: huggingface.co. */
  endpoint: string | undefined;
  host: string;
  /** Why the hub that the page's address names is not used; null where it is, or names none. */
  refusal: string | null;
}

export function hubChoice(href = location.href): HubChoice {
  const named = new URL(href).searchParams.get('hub');
  const own = { endpoint: undefined, host: new URL(HUB).host };
  if (named === null || named === '') return { ...own, refusal: null };
  try {
    const endpoint = hubBase(named);
    return { endpoint, host: new URL(endpoint).host, refusal: null };
  } catch (error) {
    return { ...own, refusal: messageOf(error) };
  }
}
