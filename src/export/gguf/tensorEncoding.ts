/** Which element type each tensor of a GGUF model has, as llama.cpp's converter and quantiser choose it. */
import { GGML_TYPES, type GgmlWriteType } from '../../formats/ggufWriter.ts';
import { UserError } from '../../lib/errors.ts';
import { quantizeQ4_0, quantizeQ5_0, quantizeQ8_0 } from '../../quant/ggufQuantize.ts';
import { quantizeQ4_K } from '../../quant/quantizeQ4K.ts';
import { quantizeQ6_K } from '../../quant/quantizeQ6K.ts';
import { toFloat16 } from '../../quant/halfFloats.ts';

/** The types that a model is exported in, with llama.cpp's number of each (enum llama_ftype). */
export const GGUF_FILE_TYPES = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, Q4_K_M: 15 } as const;
export type GgufFileType = keyof typeof GGUF_FILE_TYPES;

/** What a model's tensors are, beyond one of them. */
export interface TensorMix {
  /** Whether the embedding serves as the output head. */
  tied: boolean;
  /** Names of all tensors in the file. */
  names: readonly string[];
}

/**
 * Vectors, norms and convolutions stay float32. Rows that are no whole blocks stay float16. In a Q4_0 file
 * the output head, or the embedding where it serves as one, is Q8_0 (llama.cpp's own choice is Q6_K).
 */
export function tensorType(
  name: string,
  shape: readonly number[],
  fileType: GgufFileType,
  mix: TensorMix,
): GgmlWriteType {
  if (shape.length < 2 || /_norm\.weight$|\.shortconv\.conv\.weight$/.test(name) || fileType === 'F32')
    return 'F32';
  const isHead = name === 'output.weight' || (mix.tied && name === 'token_embd.weight');
  const fits = (type: GgmlWriteType) => shape.at(-1)! % GGML_TYPES[type].blockElements === 0;
  if (fileType === 'Q4_K_M') return kQuantType(name, isHead, mix).find(fits) ?? 'F16';
  const type = fileType === 'Q4_0' && isHead ? 'Q8_0' : fileType;
  return fits(type) ? type : 'F16';
}

/**
 * The types of Q4_K_M, the preferred first, as llama.cpp chooses them (llama-quant.cpp,
 * llama_tensor_get_type): the head, and the values and the down projection of some layers, are Q6_K; rows
 * that are no whole blocks of 256 are Q5_0 or Q8_0 instead. Fused queries, keys and values are Q6_K, where
 * llama.cpp has Q5_K.
 */
function kQuantType(name: string, isHead: boolean, { names }: TensorMix): GgmlWriteType[] {
  const isFused = name.endsWith('.attn_qkv.weight');
  const [, layer, part] = /^blk\.(\d+)\.(attn_v|ffn_down)\.weight$/.exec(name) ?? [];
  const layers = names.flatMap((other) => {
    const [, number] = part ? (new RegExp(`^blk\\.(\\d+)\\.${part}\\.weight$`).exec(other) ?? []) : [];
    return number === undefined ? [] : [Number(number)];
  });
  const place = layers.sort((a, b) => a - b).indexOf(Number(layer));
  return isHead || isFused || (part !== undefined && usesMoreBits(place, layers.length))
    ? ['Q6_K', 'Q8_0']
    : ['Q4_K', 'Q5_0'];
}

/** The first and the last eighth of the layers, and every third between them. */
function usesMoreBits(place: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return place < eighth || place >= Math.floor((7 * layers) / 8) || (place - eighth) % 3 === 2;
}

/**
 * @param values whole rows @param name for messages
 * @throws UserError where float16 cannot hold a value
 */
export function encodeTensor(values: Float32Array, type: GgmlWriteType, name: string): Uint8Array {
  switch (type) {
    case 'F32':
      return new Uint8Array(values.slice().buffer);
    case 'F16': {
      if (values.some((value) => Math.abs(value) >= 65520))
        throw new UserError(`${name} holds values that float16 cannot hold. Export it as F32 or Q8_0.`);
      return new Uint8Array(toFloat16(values).buffer);
    }
    case 'Q8_0':
      return quantizeQ8_0(values);
    case 'Q4_0':
      return quantizeQ4_0(values);
    case 'Q5_0':
      return quantizeQ5_0(values);
    case 'Q4_K':
      return quantizeQ4_K(values);
    case 'Q6_K':
      return quantizeQ6_K(values);
    case 'BF16':
      throw new Error('bfloat16 is not a type that models are exported in');
  }
}
