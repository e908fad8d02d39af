/**
 * `npm run convert -- ADAPTER --base BASE --to NAME --out DIR`: any PEFT or GGUF LoRA adapter in another
 * form, without a browser.
 *   ADAPTER      a folder with adapter_config.json and adapter_model.safetensors, or a GGUF LoRA adapter
 *   --base BASE  the model that the adapter was trained on: its hub-layout folder, or a .gguf
 *   --to NAME    gguf-lora, gguf, merged, mlx, cluster or player; more than once, or with commas, for several
 *   --out DIR    one folder a form is written into it
 *   --dtype D    of merged safetensors: bfloat16 (default) or float16
 *   --outtype T  of a merged GGUF: f16 (default), q8_0, q4_k_m, q4_0 or f32
 *   --recipe R   that the adapter was trained by: its system prompt for gguf-lora, gguf and player, its
 *                settings and rows for cluster
 *   --quantization Q  how a player holds the base: nf4 (default), none, or gguf (a .gguf as it is)
 */
import { parseArgs } from 'node:util';
import { EXPORT_NAMES } from '../src/export/exportNames.ts';
import { GGUF_FILE_TYPES, type GgufFileType } from '../src/export/gguf/tensorEncoding.ts';
import type { Quantization } from '../src/import/planTensors.ts';
import { convertAdapter, exportNames } from './lib/convertAdapter.ts';

const USAGE = `usage: npm run convert -- ADAPTER --base BASE --to ${EXPORT_NAMES.join('|')} --out DIR`;

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      to: { type: 'string', multiple: true },
      out: { type: 'string' },
      dtype: { type: 'string', default: 'bfloat16' },
      outtype: { type: 'string', default: 'f16' },
      recipe: { type: 'string' },
      quantization: { type: 'string' },
    },
  });
  const [adapter] = positionals;
  const { base, to = [], out, dtype, outtype, recipe, quantization } = values;
  if (!adapter || !base || !out || to.length === 0) {
    console.error(USAGE);
    return 2;
  }
  const forms = exportNames(to.flatMap((names) => names.split(',')));
  if (dtype !== 'bfloat16' && dtype !== 'float16') {
    console.error(`--dtype ${dtype}: write bfloat16 or float16.`);
    return 2;
  }
  const ggufType = outtype.toUpperCase();
  if (!isFileType(ggufType)) {
    console.error(`--outtype ${outtype}: write ${Object.keys(GGUF_FILE_TYPES).join(', ').toLowerCase()}.`);
    return 2;
  }
  if (quantization !== undefined && !isQuantization(quantization)) {
    console.error(`--quantization ${quantization}: write nf4, none or gguf.`);
    return 2;
  }
  await convertAdapter({
    adapter,
    base,
    forms,
    out,
    dtype: dtype === 'bfloat16' ? 'BF16' : 'F16',
    ggufType,
    recipe,
    quantization,
  });
  return 0;
}

function isQuantization(text: string): text is Quantization {
  return ['nf4', 'none', 'gguf'].includes(text);
}

function isFileType(text: string): text is GgufFileType {
  return text in GGUF_FILE_TYPES;
}
