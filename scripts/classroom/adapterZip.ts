/** Whether a file is an adapter: the two files of a PEFT folder in a zip, within limits, without a NaN. */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../src/lib/errors.ts';
import { readAdapterZip } from '../../src/page/classroom/adapterZip.ts';
import { Refusal } from './session.ts';

/** @throws Refusal that says what is wrong with it */
export async function checkAdapterZip(path: string): Promise<void> {
  try {
    await readAdapterZip(new Uint8Array(await readFile(path)));
  } catch (error) {
    throw new Refusal(400, `This is no adapter: ${messageOf(error)}`.slice(0, 400));
  }
}
