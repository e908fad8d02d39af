import { report } from '../../lib/errorLog.ts';
import { t } from '../language/messages.svelte.ts';
import { messageOf } from '../../lib/errors.ts';

/**
 * Records an error that the page is about to show.
 * @param where what the page was doing, in a few words
 * @returns what to show
 */
export function reported(error: unknown, where: string): string {
  // A UserError is about what a person brought, not about the program.
  report(error, where, error instanceof Error && error.name === 'UserError' ? 'warning' : 'error');
  return t.errors.shown(messageOf(error));
}
