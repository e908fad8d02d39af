/** The player that this page hands out, which lies beside it. */
import { t } from '../../language/messages.svelte.ts';
import { FALLBACK_FILE, PLAYER_FILE } from '../../../export/player/playerFolder.ts';
import { UserError } from '../../../lib/errors.ts';

/** @returns its modules' texts by file name @throws UserError where the host cannot be reached */
export async function playerModules(): Promise<Record<string, string>> {
  const names = [PLAYER_FILE, FALLBACK_FILE];
  const texts = await Promise.all(names.map(textOf));
  return Object.fromEntries(names.map((name, i) => [name, texts[i]]));
}

async function textOf(name: string): Promise<string> {
  // Whatever stopped it, the page says what to do below.
  const response = await fetch(`player/${name}`).catch(() => null);
  const isScript = response?.headers.get('content-type')?.includes('javascript') ?? false;
  if (!response?.ok || !isScript) throw new UserError(t.result.playerMissing(name));
  return response.text();
}
