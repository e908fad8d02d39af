/** Which element type each tensor of a GGUF model has, as llama.cpp's converter and quantiser choose it. */
import { GGML_TYPES, type GgmlWriteType } from '../../formats/ggufWriter.ts';
import { UserError } from '../../lib/errors.ts';
import { quantizeQ4_0, quantizeQ8_0 } from '../../quant/ggufQuantize.ts';
import { toFloat16 } from '../../quant/halfFloats.ts';

/** The types that a model is exported in, with llama.cpp's number of each (enum llama_ftype). */
export const GGUF_FILE_TYPES = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7 } as const;
export type GgufFileType = keyof typeof GGUF_FILE_TYPES;

/**
 * Vectors, norms and convolutions stay float32. Rows that are no whole blocks stay float16. In a Q4_0 file
 * the output head, or the embedding where it serves as one, is Q8_0 (llama.cpp's own choice is Q6_K).
 * @param tied whether the embedding serves as the output head
 */
export function tensorType(
  name: string,
  shape: readonly number[],
  fileType: GgufFileType,
  tied: boolean,
): GgmlWriteType {
  if (shape.length < 2 || /_norm\.weight$|\.shortconv\.conv\.weight$/.test(name) || fileType === 'F32')
    return 'F32';
  const isHead = name === 'output.weight' || (tied && name === 'token_embd.weight');
  const type = fileType === 'Q4_0' && isHead ? 'Q8_0' : fileType;
  return shape.at(-1)! % GGML_TYPES[type].blockElements === 0 ? type : 'F16';
}

/**
 * @param values whole rows @param name for messages
 * @throws UserError where float16 cannot hold a value
 */
export function encodeTensor(values: Float32Array, type: GgmlWriteType, name: string): Uint8Array {
  switch (type) {
    case 'F32':
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case 'F16': {
      if (values.some((value) => Math.abs(value) >= 65520))
        throw new UserError(`${name} holds values that float16 cannot hold. Export it as F32 or Q8_0.`);
      return new Uint8Array(toFloat16(values).buffer);
    }
    case 'Q8_0':
      return quantizeQ8_0(values);
    case 'Q4_0':
      return quantizeQ4_0(values);
    case 'BF16':
      throw new Error('bfloat16 is not a type that models are exported in');
  }
}
