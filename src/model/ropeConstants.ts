/** The tables of rotary embeddings as constants of a graph, computed once for both. */
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { rotatedDim, type RopeSettings } from './ropeConfig.ts';
import { ropeTables } from './ropeTable.ts';

/**
 * @param positions rows of the tables
 * @param isLong whether the rows for long sequences (longrope) follow those for short ones
 * @returns cos and sin, [positions or 2 · positions, rotated dimensions / 2] each
 */
export function ropeConstants(
  graph: Graph,
  settings: RopeSettings,
  headDim: number,
  positions: number,
  isLong: boolean,
): { cos: Value; sin: Value } {
  const shape = [positions * (isLong ? 2 : 1), rotatedDim(settings, headDim) / 2];
  const key = `${JSON.stringify(settings)} ${headDim}`;
  let tables: ReturnType<typeof ropeTables> | undefined;
  const made = () => (tables ??= ropeTables(settings, headDim, positions, isLong));
  return {
    cos: graph.constant(`rope.cos ${key}`, shape, () => made().cos),
    sin: graph.constant(`rope.sin ${key}`, shape, () => made().sin),
  };
}
