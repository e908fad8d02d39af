import type { SourceCheckpoint } from '../../formats/checkpoint.ts';
import { UserError } from '../../lib/errors.ts';

/**
 * Compares how many layers config.json asks for with how many the files have, before anything is made for
 * each of them: a number of millions would fill the memory first.
 * @throws UserError where the files have fewer
 */
export function checkLayers({ config, tensors }: SourceCheckpoint): void {
  const text = config.text_config as Record<string, unknown> | null | undefined;
  const asked = Number(text?.num_hidden_layers ?? config.num_hidden_layers);
  let found = 0;
  for (const name of tensors.keys()) {
    const layer = /(?:^|\.)layers\.(\d{1,6})\./.exec(name)?.[1];
    if (layer !== undefined) found = Math.max(found, Number(layer) + 1);
  }
  if (found > 0 && asked > found)
    throw new UserError(
      `config.json asks for ${asked} layers ("num_hidden_layers"), but the files have ${found}. Drop all the model's files, or use the config.json that belongs to them.`,
    );
}
