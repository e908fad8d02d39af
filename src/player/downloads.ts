/** Files of a static host as the blobs that the readers of models and adapters take. */
import { fileName, TEXT_FILES, type NamedFile } from '../formats/checkpoint.ts';
import {
  DEFAULT_SAMPLING,
  PLAYER_MANIFEST,
  readPlayerManifest,
  type PlayerFile,
  type PlayerManifest,
} from '../export/player/playerFolder.ts';
import { UserError } from '../lib/errors.ts';

/** @param done bytes so far @param total bytes of all files; 0 while not known */
export type OnBytes = (done: number, total: number) => void;

/** @param folder its address; what player.json says is relative to it @throws UserError */
export async function readManifest(folder: string): Promise<PlayerManifest> {
  const address = new URL(PLAYER_MANIFEST, folder).href;
  const text = await textAt(address);
  if (text === null)
    throw new UserError(
      `There is no ${address}. Put the whole exported folder on the host, and give load() its address.`,
    );
  return readPlayerManifest(text);
}

/**
 * A manifest for a base model that lies anywhere, without a player.json: a GGUF, or a folder as the Hub lays
 * it out.
 * @param base address of the .gguf, or of the folder
 * @param adapters addresses of PEFT folders or GGUF LoRA adapters, by name
 */
export async function manifestOf(
  base: string,
  adapters: Readonly<Record<string, string>>,
): Promise<PlayerManifest> {
  const isGguf = isGgufAddress(base);
  return {
    base: isGguf ? [{ path: base }] : await checkpointFiles(asFolder(base)),
    quantization: isGguf ? 'gguf' : 'nf4',
    adapters: Object.fromEntries(
      Object.entries(adapters).map(([name, address]) => [name, adapterFiles(address)]),
    ),
    system: null,
    date_string: null,
    sampling: DEFAULT_SAMPLING,
  };
}

/** The files of an adapter at an address: of a folder, the two of PEFT. */
export function adapterFiles(address: string): PlayerFile[] {
  if (isGgufAddress(address)) return [{ path: address }];
  return ['adapter_config.json', 'adapter_model.safetensors'].map((name) => ({
    path: new URL(name, asFolder(address)).href,
  }));
}

/** Downloads files. @param relativeTo the address that their paths are relative to @throws UserError */
export async function fetchFiles(
  files: readonly PlayerFile[],
  relativeTo: string,
  onBytes: OnBytes = () => undefined,
): Promise<NamedFile[]> {
  const total = files.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  let done = 0;
  const count = (bytes: number) => onBytes((done += bytes), Math.max(total, done));
  return Promise.all(files.map((file) => fetchFile(file, relativeTo, count)));
}

async function fetchFile(
  { path, bytes }: PlayerFile,
  relativeTo: string,
  count: (bytes: number) => void,
): Promise<NamedFile> {
  const address = new URL(path, relativeTo).href;
  const response = await request(address);
  if (!response.ok || !response.body)
    throw new UserError(
      `${address} answered ${response.status}. Put all of the model's files on the host, under their names.`,
    );
  // The stream is counted on its way into the blob, which the browser may keep on disk.
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      count(chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
  const blob = await new Response(response.body.pipeThrough(counter)).blob();
  if (bytes !== undefined && blob.size !== bytes)
    throw new UserError(
      `${address} has ${blob.size} bytes, but ${PLAYER_MANIFEST} says ${bytes}: the copy on the host is incomplete or of another export. Upload the folder again.`,
    );
  return { path: fileName(new URL(address).pathname), blob };
}

/** The files of a folder without a list: those that a checkpoint may have. */
async function checkpointFiles(folder: string): Promise<PlayerFile[]> {
  const at = (name: string) => new URL(name, folder).href;
  const texts = await Promise.all(
    TEXT_FILES.map(async (name) => ((await textAt(at(name))) === null ? [] : [{ path: at(name) }])),
  );
  const index = await textAt(at('model.safetensors.index.json'));
  return [
    { path: at('config.json') },
    ...texts.flat(),
    ...(index === null
      ? [{ path: at('model.safetensors') }]
      : [
          { path: at('model.safetensors.index.json') },
          ...shardsOf(index).map((name) => ({ path: at(name) })),
        ]),
  ];
}

function shardsOf(index: string): string[] {
  const { weight_map } = JSON.parse(index) as { weight_map?: Record<string, string> };
  return [...new Set(Object.values(weight_map ?? {}))];
}

/** null where there is no such file; hosts of single-page applications answer with their page then. */
async function textAt(address: string): Promise<string | null> {
  const response = await request(address);
  const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
  return response.ok && !isPage ? response.text() : null;
}

async function request(address: string): Promise<Response> {
  try {
    return await fetch(address);
  } catch (error) {
    throw new UserError(
      `${address} cannot be reached: ${String(error)}. Check the address; a host on another origin must allow this page (CORS).`,
    );
  }
}

export function isGgufAddress(address: string): boolean {
  return /\.gguf$/i.test(new URL(address).pathname);
}

/** With a slash at its end, so that names are relative to it. */
export function asFolder(address: string): string {
  const url = new URL(address);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}
