/** The table of rotary embeddings as a constant of a graph. */
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { rotatedDim, type RopeSettings } from './ropeConfig.ts';
import { ropeTable } from './ropeTable.ts';

/**
 * @param positions rows of the table
 * @param isLong whether the rows for long sequences (longrope) follow those for short ones
 * @returns [positions or 2 · positions, rotated dimensions]: a row's cosines, then its sines
 */
export function ropeConstants(
  graph: Graph,
  settings: RopeSettings,
  headDim: number,
  positions: number,
  isLong: boolean,
): Value {
  const shape = [positions * (isLong ? 2 : 1), rotatedDim(settings, headDim)];
  const key = `${JSON.stringify(settings)} ${headDim}`;
  return graph.constant(`rope ${key}`, shape, () => ropeTable(settings, headDim, positions, isLong));
}
