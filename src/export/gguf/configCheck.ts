/**
 * Whether a GGUF file's header says of the model what its own config.json says: both are parsed as a model
 * that would run, and compared field by field.
 */
import { UserError } from '../../lib/errors.ts';
import { modelOf } from '../../model/families/registry.ts';
import { rotatedDim, type RopeSettings } from '../../model/ropeConfig.ts';
import { inverseFrequencies } from '../../model/ropeTable.ts';
import type { ExportedConfig } from './configKeys.ts';

/** Fields that differ between a family and the one whose architecture it shares. */
const IGNORED = new Set(['model_type']);

/**
 * @param config as it was trained @param written config.json as the exported file gives it
 * @throws UserError naming the field that the exported file says otherwise
 */
export function checkConfig(config: ExportedConfig, written: Record<string, unknown>): void {
  const back = modelOf(written).config as ExportedConfig & Record<string, unknown>;
  for (const [key, value] of Object.entries(config)) {
    if (IGNORED.has(key) || !(key in back) || alike(comparable(value, config), comparable(back[key], back)))
      continue;
    throw new UserError(
      `llama.cpp would run this model otherwise than it was trained: ${key} is ${JSON.stringify(value)}, ` +
        `but a GGUF file of this architecture says ${JSON.stringify(back[key])}. Export the merged safetensors ` +
        'instead.',
    );
  }
}

/** Rotary settings as the frequencies that they mean. */
function comparable(value: unknown, { head_dim }: ExportedConfig): unknown {
  if (typeof value !== 'object' || value === null || !('rope_theta' in value)) return value;
  const rope = value as RopeSettings;
  const dim = rotatedDim(rope, head_dim);
  const { scaling } = rope;
  return {
    dim,
    interleaved: rope.interleaved === true,
    short: [...inverseFrequencies(rope, dim)],
    long: [...inverseFrequencies(rope, dim, true)],
    factor: 'attention_factor' in scaling ? scaling.attention_factor : 1,
  };
}

/** Equal, numbers to the precision of float32. */
function alike(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-5 * Math.max(Math.abs(a), Math.abs(b));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, i) => alike(value, b[i]));
  if (typeof a === 'object' && typeof b === 'object' && a && b)
    return Object.entries(a).every(([key, value]) => alike(value, (b as Record<string, unknown>)[key]));
  return a === b;
}
