/** Whether a file is an adapter: the two files of a PEFT folder in a zip, within limits, without a NaN. */
import { readFile } from 'node:fs/promises';
import { readPeftFolder } from '../../src/formats/peft.ts';
import { unzipNamed } from '../../src/formats/zip.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { Refusal } from './session.ts';

const NAMES = ['adapter_config.json', 'adapter_model.safetensors'];
const MOST_BYTES = 256 * 2 ** 20;

/** @throws Refusal that says what is wrong with it */
export async function checkAdapterZip(path: string): Promise<void> {
  try {
    const files = unzipNamed(new Uint8Array(await readFile(path)), NAMES, MOST_BYTES);
    await readPeftFolder(
      new Map(
        Object.entries(files).map(([name, bytes]) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]),
      ),
    );
  } catch (error) {
    throw new Refusal(400, `This is no adapter: ${messageOf(error)}`.slice(0, 400));
  }
}
