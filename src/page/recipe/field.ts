/** What a field of the recipe is on the page. */
import type { Messages } from '../language/messages.svelte.ts';

export type Group = 'lora' | 'training' | 'evaluation';

export type Field = {
  group: Group | null;
  key: Exclude<keyof Messages['recipeHelp'], 'system_prompt'>;
  needsData?: boolean;
} & (
  | { type: 'number'; step: number | 'any'; min?: number; empty?: 'null' }
  | { type: 'flag' }
  | { type: 'text'; empty?: 'null' }
  | { type: 'choice'; options: string[] }
);
