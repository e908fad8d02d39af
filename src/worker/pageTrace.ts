import type { ErrorEntry } from '../lib/errorLog.ts';
import type { RequestMade } from '../lib/requests.ts';

/** What the page and its workers did that a run report shows. */
export interface PageTrace {
  requests: RequestMade[];
  errors: ErrorEntry[];
}
