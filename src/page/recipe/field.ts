/** What a field of the recipe is on the page. */
export type Group = 'lora' | 'training' | 'evaluation';

export type Field = { group: Group | null; key: string; help: string; needsData?: boolean } & (
  | { type: 'number'; step: number | 'any'; min?: number; empty?: 'null' }
  | { type: 'flag' }
  | { type: 'text'; empty?: 'null' }
  | { type: 'choice'; options: string[] }
);
