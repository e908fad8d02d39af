/**
 * Checkpoints that bitsandbytes and transformers saved in 4-bit NF4. Beside a linear layer's `weight` (its
 * codes, as bytes [n, 1]) lie `.absmax`, `.quant_map`, `.quant_state.bitsandbytes__nf4` (JSON as bytes) and,
 * where the scales are quantised too, `.nested_absmax` and `.nested_quant_map` (bitsandbytes/functional.py,
 * QuantState.as_dict). Codes and scales are used unchanged.
 */
import { UserError } from '../lib/errors.ts';
import { BLOCK, dynamicMap, NESTED_BLOCK, NF4_CODE } from '../quant/nf4.ts';
import { toFloat32, type SafetensorsEntry } from './safetensors.ts';

/** A tensor of a file that can be read in slices. */
interface FileTensor extends SafetensorsEntry {
  file: { path: string; blob: Blob };
}

/** Scales of a weight in NF4, of a block size that is a multiple of 64. */
export interface Nf4Scales<T> {
  /** Blocks of 64 that share a scale. */
  blocksPerScale: number;
  /** One byte a scale where `nested` is there, else float32. */
  absmax: T;
  nested?: { /** float32, one per 256 scales. */ absmax: T; offset: number };
}

interface QuantState {
  blocksize?: unknown;
  shape?: unknown;
  nested_blocksize?: unknown;
  nested_offset?: unknown;
}

const STATE = /^(.*)\.quant_state\.bitsandbytes__(\w+)$/;
const INSTEAD =
  'Use the original 16-bit checkpoint, or one that bitsandbytes saved in NF4 with blocks of 64.';

/**
 * @returns the name of a quantisation that Finetab does not read; null for those it reads (bitsandbytes' NF4,
 * FP8)
 */
export function unreadQuantization(config: Readonly<Record<string, unknown>>): string | null {
  const {
    quant_method: method = config.load_in_4bit === true || config.load_in_8bit === true
      ? 'bitsandbytes'
      : 'unknown method',
    load_in_4bit,
    bnb_4bit_quant_type: type = 'fp4',
  } = config;
  if (method === 'fp8') return null;
  if (method !== 'bitsandbytes') return JSON.stringify(method);
  if (load_in_4bit !== true) return '"bitsandbytes", 8-bit';
  return type === 'nf4' ? null : `"bitsandbytes", 4-bit ${JSON.stringify(type)}`;
}

/**
 * Combines the tensors of each quantised weight: `weight` gets its real shape and its scales, and the other
 * tensors are removed from the list. Only small tensors are read.
 * @returns the tensors, and how many of them are quantised
 * @throws UserError where a part is missing or is not NF4 as Finetab computes it
 */
export async function combineNf4<T extends FileTensor>(
  tensors: ReadonlyMap<string, T>,
): Promise<{ tensors: Map<string, T & { nf4?: Nf4Scales<T> }>; quantized: number }> {
  const states = [...tensors.keys()].flatMap((state) => {
    const [, name, type] = STATE.exec(state) ?? [];
    return name === undefined || type === undefined ? [] : [[state, name, type] as const];
  });
  const combined = new Map<string, T & { nf4?: Nf4Scales<T> }>(tensors);
  const small = states
    .flatMap(([state, name]) => [state, `${name}.quant_map`, `${name}.nested_quant_map`])
    .flatMap((name) => tensors.get(name) ?? []);
  const bytes = await readSmall(small);
  for (const [state, name, type] of states) {
    const file = tensors.get(state)!.file.path.split('/').at(-1)!;
    const fail = (what: string): never => {
      throw new UserError(`${file}: tensor ${name} ${what}`);
    };
    const part = (suffix: string): T => {
      combined.delete(`${name}${suffix}`);
      return (
        tensors.get(`${name}${suffix}`) ??
        fail(
          `is quantised, but its part ${name}${suffix} is missing. Drop all the model's safetensors files, or download them again.`,
        )
      );
    };
    if (type !== 'nf4')
      fail(`is in bitsandbytes' ${type.toUpperCase()}, which Finetab does not read. ${INSTEAD}`);
    const { blocksize, shape, nested_blocksize, nested_offset } =
      parseState(bytes.get(part(state.slice(name.length)))!) ??
      fail('has a quant_state that is not JSON. Download the file again.');
    if (!Number.isInteger(blocksize) || (blocksize as number) % BLOCK !== 0 || blocksize === 0)
      fail(`is quantised in blocks of ${JSON.stringify(blocksize)}. ${INSTEAD}`);
    if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size > 0))
      fail(`has no valid shape in its quant_state (${JSON.stringify(shape)}). Download the file again.`);
    const weight = part('');
    const sized = (tensor: T, expected: number, dtype?: string) => {
      if (tensor.end - tensor.begin !== expected || (dtype && tensor.dtype !== dtype)) {
        const wanted = `${expected} bytes${dtype ? ` of ${dtype}` : ''}`;
        fail(
          `is [${shape as number[]}] in blocks of ${blocksize as number}; ${tensor.name} then has ${wanted}, ` +
            `not ${tensor.end - tensor.begin} of ${tensor.dtype}. Download the file again.`,
        );
      }
      return tensor;
    };
    const isMap = (suffix: string, expected: Float32Array) => {
      const map = sized(part(suffix), expected.byteLength, 'F32');
      if (!toFloat32('F32', bytes.get(map)!).every((value, i) => value === expected[i]))
        fail(`has another ${suffix.slice(1)} than bitsandbytes' NF4. ${INSTEAD}`);
    };
    const elements = (shape as number[]).reduce((a, b) => a * b, 1);
    const scales = Math.ceil(elements / (blocksize as number));
    sized(weight, Math.ceil(elements / 2));
    isMap('.quant_map', NF4_CODE);
    const nf4: Nf4Scales<T> = { blocksPerScale: (blocksize as number) / BLOCK, absmax: part('.absmax') };
    if (nested_blocksize === undefined) sized(nf4.absmax, scales * 4, 'F32');
    else {
      if (nested_blocksize !== NESTED_BLOCK || typeof nested_offset !== 'number')
        fail(
          `has scales quantised in blocks of ${JSON.stringify(nested_blocksize)}, not ${NESTED_BLOCK}. ${INSTEAD}`,
        );
      isMap('.nested_quant_map', dynamicMap());
      sized(nf4.absmax, scales, 'U8');
      nf4.nested = {
        absmax: sized(part('.nested_absmax'), Math.ceil(scales / NESTED_BLOCK) * 4, 'F32'),
        offset: nested_offset as number,
      };
    }
    combined.set(name, { ...weight, shape: shape as number[], nf4 });
  }
  return { tensors: combined, quantized: states.length };
}

function parseState(bytes: Uint8Array): QuantState | null {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as QuantState;
  } catch {
    // The caller refuses the tensor by its name.
    return null;
  }
}

/** Between tensors that are read at once: fewer requests where a file comes from afar. */
const LARGEST_GAP = 65536;

/** Bytes of small tensors. Neighbours in a file are read together. */
async function readSmall<T extends FileTensor>(tensors: readonly T[]): Promise<Map<T, Uint8Array>> {
  const runs: T[][] = [];
  for (const tensor of tensors.toSorted((a, b) =>
    a.file === b.file ? a.begin - b.begin : a.file.path < b.file.path ? -1 : 1,
  )) {
    const last = runs.at(-1)?.at(-1);
    if (last && last.file === tensor.file && tensor.begin - last.end <= LARGEST_GAP)
      runs.at(-1)!.push(tensor);
    else runs.push([tensor]);
  }
  const bytes = new Map<T, Uint8Array>();
  for (const run of runs) {
    const [{ begin, file }, { end }] = [run[0]!, run.at(-1)!];
    const read = new Uint8Array(await file.blob.slice(begin, end).arrayBuffer());
    for (const tensor of run) bytes.set(tensor, read.slice(tensor.begin - begin, tensor.end - begin));
  }
  return bytes;
}
