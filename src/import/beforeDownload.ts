/** What a model would take of the disk and of the GPU, from its config and the headers of its files. */
import { openCheckpoint, type NamedFile } from '../formats/checkpoint.ts';
import { modelOf } from '../model/families/registry.ts';
import { checkLayers } from './checks/checkLayers.ts';
import { withModelNames } from './tensorNames.ts';
import { planTensors, storedBytes, type Quantization } from './planTensors.ts';

/** Beyond the weights a run needs this much at the least: adapter, optimiser, activations. */
const RUN_BYTES = 256 * 1024 * 1024;

/** @throws UserError where the model cannot be imported */
export async function bytesToStore(files: readonly NamedFile[], wanted: Quantization): Promise<number> {
  const opened = await openCheckpoint(files);
  checkLayers(opened);
  const { tensors } = modelOf(opened.config);
  const quantization = opened.prequantized ? 'nf4' : wanted;
  return storedBytes(planTensors(withModelNames(opened, tensors), tensors, quantization).values());
}

/**
 * @param stored bytes that the model takes once it is imported; on the GPU its weights take the same
 * @param free bytes that the browser may still store; null where it does not say
 * @param limit bytes of GPU memory that the recipe allows; null: as many as it takes
 */
export function downloadVerdict(stored: number, free: number | null, limit: number | null): string {
  const disk =
    free === null
      ? `It takes ${gibibytes(stored)} of browser storage`
      : stored > free
        ? `It does not fit: it takes ${gibibytes(stored)} of browser storage, and ${gibibytes(free)} are free`
        : `It takes ${gibibytes(stored)} of the ${gibibytes(free)} of browser storage that are free`;
  const needed = stored + RUN_BYTES;
  const gpu =
    limit === null
      ? `training takes more than ${gibibytes(needed)} of GPU memory`
      : needed > limit
        ? `training needs more than ${gibibytes(needed)} of GPU memory, the recipe's limit is ${gibibytes(limit)}`
        : `its weights leave ${gibibytes(limit - stored)} of the ${gibibytes(limit)} of GPU memory that the recipe allows`;
  return `${disk}; ${gpu}.`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toLocaleString('en', { maximumFractionDigits: 2 })} GiB`;
}
