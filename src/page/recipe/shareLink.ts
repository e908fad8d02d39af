/**
 * A recipe in a link: in the URL's fragment, which browsers keep to themselves. Only what differs from the
 * defaults is written.
 */
import { t } from '../language/messages.svelte.ts';
import { UserError } from '../../lib/errors.ts';
import { parseRecipe } from '../../training/recipe.ts';
import type { Recipe } from '../../training/recipe.ts';

const KEY = 'recipe=';
/** Longer addresses are cut off by programs that people send links with. */
const LINK_BYTES = 24_000;

/** Names of a person's own files stay out of a link. */
const PRIVATE = ['train_file', 'validation_files', 'adapter_name_or_path', 'mix_ratios'];

/** @param base the page's own address @throws UserError where the recipe is too long for a link */
export function recipeLink(recipe: Recipe, base: string): string {
  const shared: Record<string, unknown> = {
    ...recipe,
    model: recipe.model.startsWith('folder:') ? '' : recipe.model,
    training: { ...recipe.training, resume_from_checkpoint: null },
  };
  for (const key of PRIVATE) delete shared[key];
  const bytes = new TextEncoder().encode(JSON.stringify(differences(shared, parseRecipe({})) ?? {}));
  if (bytes.byteLength > LINK_BYTES) throw new UserError(t.recipe.linkTooLong(bytes.byteLength, LINK_BYTES));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
  return `${base.split('#')[0]}#${KEY}${text}`;
}

/** Whether a fragment is a link's, readable or not. */
export function hasRecipe(fragment: string): boolean {
  return fragment.replace(/^#/, '').startsWith(KEY);
}

/**
 * The recipe of a link.
 * @returns null where the fragment holds none
 * @throws UserError where it cannot be read
 */
export function recipeOfLink(fragment: string): Recipe | null {
  const text = fragment.replace(/^#/, '');
  if (!text.startsWith(KEY)) return null;
  let json: string;
  try {
    const raw = atob(text.slice(KEY.length).replaceAll('-', '+').replaceAll('_', '/'));
    json = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(raw, (character) => character.charCodeAt(0)),
    );
  } catch {
    throw new UserError(t.recipe.linkUnreadable);
  }
  return parseRecipe(json);
}

/** What of `value` is not in `usual`; undefined where nothing is. */
function differences(value: unknown, usual: unknown): unknown {
  if (JSON.stringify(value) === JSON.stringify(usual)) return undefined;
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    typeof usual !== 'object' ||
    usual === null
  )
    return value;
  const kept = Object.entries(value).map(
    ([key, item]) => [key, differences(item, (usual as Record<string, unknown>)[key])] as const,
  );
  return Object.fromEntries(kept.filter(([, item]) => item !== undefined));
}
