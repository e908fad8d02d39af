/** An adapter as it travels in a class: the two files of a PEFT folder in a zip. */
import { readPeftFolder, type ReadAdapter } from '../../formats/peft.ts';
import { unzipNamed, zipFolder } from '../../formats/zip.ts';

const NAMES = ['adapter_config.json', 'adapter_model.safetensors'];
/** A zip of a few kilobytes must not unpack to the whole memory. */
const MOST_BYTES = 2 ** 28;

/** @param files of a PEFT folder by name */
export function adapterZip(files: ReadonlyMap<string, Uint8Array>): Blob {
  const zip = zipFolder(new Map([...files].filter(([name]) => NAMES.includes(name))));
  return new Blob([zip as Uint8Array<ArrayBuffer>]);
}

export function adapterFiles(zip: Uint8Array): File[] {
  return Object.entries(unzipNamed(zip, NAMES, MOST_BYTES)).map(
    ([name, contents]) => new File([contents as Uint8Array<ArrayBuffer>], name),
  );
}

/** @throws UserError where it is no adapter */
export function readAdapterZip(zip: Uint8Array): Promise<ReadAdapter> {
  return readPeftFolder(new Map(adapterFiles(zip).map((file) => [file.name, file])));
}
