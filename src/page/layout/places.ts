/** What the middle of the page can show, one at a time: the five steps, and the tools beside them. */

export const STEP_IDS = ['model', 'data', 'recipe', 'run', 'result'] as const;
export const TOOL_IDS = ['history', 'classroom', 'store', 'gpu'] as const;
export type StepId = (typeof STEP_IDS)[number];
export type ToolId = (typeof TOOL_IDS)[number];
export type PlaceId = StepId | ToolId;

const PLACE_IDS: readonly string[] = [...STEP_IDS, ...TOOL_IDS];

/** @param hash of an address: `#run` @returns null where it names no place */
export function placeOfHash(hash: string): PlaceId | null {
  const name = hash.replace(/^#(step-)?/, '');
  return PLACE_IDS.includes(name) ? (name as PlaceId) : null;
}

const TYPED = 'textarea, select, input:not([type=file], [type=checkbox], [type=radio], [type=range])';

/** Whether keys that are pressed now go into a field: then the page must not change under the person. */
export function isTyping(): boolean {
  return document.activeElement?.matches(TYPED) ?? false;
}
