/** What "Copy details" copies: enough for somebody else to find the fault. */
import { version } from '../../../package.json';
import { entriesToText, recordedErrors, report } from '../../lib/errorLog.ts';

/** @param shown the message beside the button, or '' */
export function errorDetails(shown: string): string {
  const entries = recordedErrors();
  return [
    `Finetab ${version}, ${navigator.userAgent}`,
    // The fragment may hold a recipe.
    `${location.origin}${location.pathname}${location.search}, ${new Date().toISOString()}`,
    ...(shown === '' ? [] : [`The page shows: ${shown}`]),
    '',
    entries.length === 0 ? 'No error was recorded.' : entriesToText(entries),
  ].join('\n');
}

/** Records what nothing on the page caught, and lets the browser's console and scripts read the details. */
export function watchPageErrors(): void {
  addEventListener('error', ({ error, message }) =>
    report(error ?? new Error(message), 'an error of the page that nothing caught'),
  );
  addEventListener('unhandledrejection', ({ reason }) =>
    report(reason, 'a rejection on the page that nothing handled'),
  );
  Object.assign(globalThis, { finetab: { errorDetails: () => errorDetails('') } });
}
