/** How deep lists and objects lie in each other: what reads them calls itself once a level. */

/** Whether a value of JSON has lists or objects more than `levels` deep. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value))
    if (isNestedDeeper(inner, levels - 1)) return true;
  return false;
}
