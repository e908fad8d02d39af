/** Loads the engine of browsers without WebGPU. */
import { FALLBACK_FILE } from '../export/player/playerFolder.ts';
import { UserError, messageOf } from '../lib/errors.ts';
import type * as Fallback from './fallback.ts';

/** Lies beside this module: its bundle is larger than the player's own. */
export async function loadFallback(): Promise<typeof Fallback> {
  const address = new URL(FALLBACK_FILE, import.meta.url).href;
  try {
    return (await import(/* @vite-ignore */ address)) as typeof Fallback;
  } catch (error) {
    throw new UserError(
      `This browser offers no WebGPU, and ${address}, which plays the model without, cannot be loaded: ${messageOf(error)}. Put ${FALLBACK_FILE} beside the player, or use a current Chrome, Edge or Safari.`,
    );
  }
}
