/**
 * An adapter from elsewhere, in any form that is read: a PEFT folder, or a GGUF LoRA adapter of llama.cpp.
 */
import { fileName, type NamedFile } from '../formats/checkpoint.ts';
import { readGgufLora, type LoraHeads } from '../formats/gguf/ggufLora.ts';
import { readPeftFolder, type ReadAdapter } from '../formats/peft.ts';
import { modelOf } from '../model/families/registry.ts';

/** What an adapter is called: its folder, or its file. */
export function adapterName(files: readonly NamedFile[]): string {
  const folder = files
    .find(({ path }) => fileName(path) === 'adapter_config.json')
    ?.path.split('/')
    .at(-2);
  const gguf = files.find(({ path }) => /\.gguf$/i.test(path));
  return folder ?? (gguf ? fileName(gguf.path) : 'dropped adapter');
}

/**
 * @param files of the folder, or the one file @param config of the model that it belongs to
 * @throws UserError where it is in no such form, or asks for something that is not read
 */
export async function readAdapter(
  files: readonly NamedFile[],
  config: Readonly<Record<string, unknown>>,
): Promise<ReadAdapter> {
  const gguf = files.find(({ path }) => /\.gguf$/i.test(path));
  const isPeft = files.some(({ path }) => fileName(path) === 'adapter_config.json');
  return gguf && !isPeft
    ? readGgufLora(gguf.blob, fileName(gguf.path), modelOf(config).config as unknown as LoraHeads)
    : readPeftFolder(new Map(files.map(({ path, blob }) => [fileName(path), blob])));
}
