/** Which references cannot be replayed because their rows are longer than a dynamic rope's model knows. */
import { UserError } from '../../src/lib/errors.ts';
import { modelOf } from '../../src/model/families/registry.ts';

/**
 * transformers raises the base of a rope of type "dynamic" for sequences beyond max_position_embeddings. The
 * engine does not, as the page takes no such row: what it computed would be another model's answer.
 * @param config config.json
 * @param longest tokens of the longest sequence, generated ones among them
 * @throws UserError where the sequence is beyond a dynamic rope's positions
 */
export function refuseBeyondDynamicRope(config: Readonly<Record<string, unknown>>, longest: number): void {
  const { max_position_embeddings: known } = modelOf(config).config;
  if (longest <= known || !hasDynamicRope(config)) return;
  throw new UserError(
    `A sequence of ${longest} tokens is longer than the ${known} positions of this model (max_position_embeddings), and its rope type "dynamic" would change its base there: such rows are not computed. Shorten them to ${known} tokens.`,
  );
}

/** Of any kind of layer. */
function hasDynamicRope(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (/^(rope_)?type$/.test(key) && inner === 'dynamic') || hasDynamicRope(inner),
  );
}
