/**
 * `npm run convert -- ADAPTER --base BASE --to NAME --out DIR`: any PEFT or GGUF LoRA adapter in another
 * form, without a browser.
 *   ADAPTER      a folder with adapter_config.json and adapter_model.safetensors, or a GGUF LoRA adapter
 *   --base BASE  the model that the adapter was trained on: its hub-layout folder, or a .gguf
 *   --to NAME    gguf-lora, gguf, merged or mlx; more than once, or with commas, for several
 *   --out DIR    one folder a form is written into it
 *   --dtype D    of merged safetensors: bfloat16 (default) or float16
 *   --outtype T  of a merged GGUF: f16 (default), q8_0, q4_0 or f32
 */
import { parseArgs } from 'node:util';
import { EXPORT_NAMES } from '../src/export/exportNames.ts';
import { GGUF_FILE_TYPES, type GgufFileType } from '../src/export/gguf/tensorEncoding.ts';
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
    },
  });
  const [adapter] = positionals;
  const { base, to = [], out, dtype, outtype } = values;
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
  await convertAdapter({
    adapter,
    base,
    forms,
    out,
    dtype: dtype === 'bfloat16' ? 'BF16' : 'F16',
    ggufType,
    system: null,
  });
  return 0;
}

function isFileType(text: string): text is GgufFileType {
  return text in GGUF_FILE_TYPES;
}
