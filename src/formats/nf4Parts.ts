/**
 * A weight in NF4 as bitsandbytes saves it beside a checkpoint's other tensors: what bitsandbytes.ts reads
 * (bitsandbytes/functional.py, QuantState.as_dict with packed=True).
 */
import { BLOCK, dynamicMap, NESTED_BLOCK, NF4_CODE } from '../quant/nf4.ts';
import type { SafetensorsSpec } from './safetensors.ts';
import { tensorPartBytes, type TensorInfo, type TensorPart } from './tensors.ts';

/** A tensor of a file, and where its bytes come from. */
export interface Nf4Tensor {
  spec: SafetensorsSpec;
  /**
   * A part of the weight, as `tensors.ts` describes it, whose bytes it is; `nested` without its first number.
   */
  part?: TensorPart;
  /** Bytes that are known without the weight. */
  bytes?: Uint8Array;
}

/** quant_state with an offset that is not known yet: of the longest text that a float64 has. */
const OFFSET_DIGITS = 26;

/**
 * The tensors that take the place of a weight, by name. quant_state, whose bytes hold the offset, comes with
 * the weight: `quantState` makes it.
 */
export function nf4Tensors(info: TensorInfo): Map<string, Nf4Tensor> {
  const parts = tensorPartBytes(info);
  const { name } = info;
  const nested = info.kind === 'nf4';
  const tensors = new Map<string, Nf4Tensor>([
    [name, { spec: { dtype: 'U8', shape: [parts.packed!, 1] }, part: 'packed' }],
    [`${name}.quant_map`, { spec: { dtype: 'F32', shape: [16] }, bytes: bytesOf(NF4_CODE) }],
  ]);
  if (nested) {
    tensors.set(`${name}.absmax`, { spec: { dtype: 'U8', shape: [parts.absmax_q!] }, part: 'absmax_q' });
    tensors.set(`${name}.nested_absmax`, {
      spec: { dtype: 'F32', shape: [parts.nested! / 4 - 1] },
      part: 'nested',
    });
    tensors.set(`${name}.nested_quant_map`, {
      spec: { dtype: 'F32', shape: [256] },
      bytes: bytesOf(dynamicMap()),
    });
  } else
    tensors.set(`${name}.absmax`, { spec: { dtype: 'F32', shape: [parts.absmax! / 4] }, part: 'absmax' });
  const state = quantState(info, nested ? 0 : null);
  tensors.set(`${name}.quant_state.bitsandbytes__nf4`, {
    spec: { dtype: 'U8', shape: [state.byteLength] },
    ...(nested ? {} : { bytes: state }),
  });
  return tensors;
}

/** @param offset mean of the scales; null where they are not quantised @returns JSON, padded to one length */
export function quantState({ shape }: TensorInfo, offset: number | null): Uint8Array {
  const state = {
    quant_type: 'nf4',
    blocksize: BLOCK,
    dtype: 'bfloat16',
    shape,
    ...(offset !== null && {
      nested_blocksize: NESTED_BLOCK,
      nested_dtype: 'float32',
      nested_offset: offset,
    }),
  };
  const text = JSON.stringify(state);
  const padding = offset === null ? 0 : OFFSET_DIGITS - String(offset).length;
  return new TextEncoder().encode(text + ' '.repeat(padding));
}

/** What config.json says of such a checkpoint, so that transformers loads it. */
export const NF4_CONFIG = {
  quant_method: 'bitsandbytes',
  load_in_4bit: true,
  load_in_8bit: false,
  bnb_4bit_quant_type: 'nf4',
  bnb_4bit_use_double_quant: true,
  bnb_4bit_compute_dtype: 'bfloat16',
  bnb_4bit_quant_storage: 'uint8',
};

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
