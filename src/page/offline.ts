/**
 * Keeps the page for visits without a network. A browser that keeps no data for the page refuses: the page
 * works
 * all the same.
 */
import { report } from '../lib/errorLog.ts';
import { trustedScriptUrl } from '../worker/spawnWorker.ts';

export function keepOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  addEventListener('load', () => {
    navigator.serviceWorker
      .register(trustedScriptUrl('./sw.js'), { scope: './' })
      .catch((error: unknown) => report(error, 'keeping the page for visits without a network', 'warning'));
  });
}
