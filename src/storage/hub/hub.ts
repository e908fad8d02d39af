/**
 * Models on the Hugging Face Hub: which files a model has, and each as a Blob that is verified against the
 * Hub's own hash while it is read.
 */
import type { NamedFile } from '../../formats/checkpoint.ts';
import { UserError } from '../../lib/errors.ts';
import { hubBase, parseHubAddress, type HubAddress } from '../../lib/hubAddress.ts';
import { HubRequests, HubStatusError, type HubAnswer, type Patience } from './hubRequests.ts';
import { hasGitHash, openFile, WEIGHTS, type ListedFile } from './hubFile.ts';
import { BLOCK_BYTES } from './verifiedDownload.ts';

export interface HubAccess {
  /** Another hub than huggingface.co, on this computer. */
  endpoint?: string;
  /** For gated and private models; used for these requests, never stored. */
  token?: string;
}

export interface HubModel {
  id: string;
  /** Commit that the files were read from. */
  revision: string;
  files: NamedFile[];
  /** As the model's card says it; null where it says nothing. */
  licence: string | null;
  /** Bytes of all files. */
  bytes: number;
  /** Small files of which the listing has no hash in the Hub's form, as hubs other than huggingface.co do. */
  unverified: string[];
}

/** What tests shorten. */
export interface HubSettings {
  patience?: Patience;
  blockBytes?: number;
}

const WANTED =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map)\.json$|^chat_template\.(jinja|json)$|^model\.safetensors\.index\.json$/;
/** A longer listing is no model's. */
const LISTING_LIMIT = 32 * 1024 * 1024;
const LISTING_PAGES = 100;

/**
 * @param name "owner/name", "owner/name@revision", or an address of the Hub's
 * @throws UserError where there is no such model, it is gated, the hub cannot be reached, or a file is not
 * the one that the hub lists
 */
export async function openHubModel(
  name: string,
  { endpoint, token = '' }: HubAccess = {},
  { patience, blockBytes = BLOCK_BYTES }: HubSettings = {},
): Promise<HubModel> {
  const address = parseHubAddress(name);
  if (token !== '' && !token.startsWith('hf_'))
    throw new UserError(
      'An access token of the Hub begins with "hf_". Make one under Settings → Access Tokens on huggingface.co.',
    );
  const requests = new HubRequests(hubBase(endpoint), token, patience);
  return fromHub(address.id, async () => {
    const { revision, licence } = await modelInfo(requests, address);
    const listed = await listFiles(requests, address.id, revision);
    const files = await Promise.all(
      listed.map((file) => openFile(requests, address.id, revision, file, blockBytes)),
    );
    return {
      id: address.id,
      revision,
      licence,
      files,
      bytes: listed.reduce((sum, { size }) => sum + size, 0),
      unverified: listed.filter((file) => !file.lfs && !hasGitHash(file)).map(({ path }) => path),
    };
  });
}

/** Runs work that reads from the hub; its errors become ones that say what to do. */
export async function fromHub<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HubStatusError) throw new UserError(refusal(id, error));
    if (error instanceof UserError && error.message.startsWith('The connection to the Hub broke: '))
      throw new UserError(error.message.replace('Hub broke: ', `Hub broke while ${id} was read: `));
    throw error;
  }
}

function refusal(id: string, { status, host }: HubStatusError): string {
  // The hub also answers 401 for models that do not exist, to keep the names of private ones secret.
  if (status === 401 || status === 403)
    return `The Hub does not give ${id} without permission: it is gated or private, or there is no such model. Accept its licence on its page and enter an access token, or download it and drop the folder.`;
  if (status === 404)
    return `There is no model ${id} on the Hub. Check the spelling: owner/name, or owner/name@revision where the revision exists.`;
  if (status === 429)
    return `The Hub (${host}) answers too many requests at the moment (status 429). Wait some minutes and start the download again: it goes on where it stopped.`;
  return `The Hub (${host}) answered with status ${status} for ${id}. Try again later, or download the model and drop its folder.`;
}

async function modelInfo(
  requests: HubRequests,
  { id, revision }: HubAddress,
): Promise<{ revision: string; licence: string | null }> {
  const url = `${requests.base}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
  const info = jsonOf(await requests.get(url, LISTING_LIMIT)) as {
    sha?: unknown;
    cardData?: { license?: unknown; license_name?: unknown };
    tags?: unknown;
  } | null;
  if (typeof info?.sha !== 'string' || !/^[0-9a-f]{40,64}$/.test(info.sha))
    throw new UserError(
      `${requests.base} does not say which commit of ${id} is current: its answer is not of the Hub's form. Try again later, or download the model and drop its folder.`,
    );
  return { revision: info.sha, licence: licenceOf(info) };
}

function licenceOf({
  cardData,
  tags,
}: {
  cardData?: Record<string, unknown>;
  tags?: unknown;
}): string | null {
  const named = cardData?.license_name ?? cardData?.license;
  if (typeof named === 'string') return named;
  const known = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  return known.find((tag) => tag.startsWith('license:'))?.slice('license:'.length) ?? null;
}

/** The files that an import reads, of the repository's top folder. */
async function listFiles(requests: HubRequests, id: string, revision: string): Promise<ListedFile[]> {
  const listed: ListedFile[] = [];
  let url: string | undefined = `${requests.base}/api/models/${id}/tree/${revision}`;
  for (let page = 0; url !== undefined && page < LISTING_PAGES; page++) {
    const answer: HubAnswer = await requests.get(url, LISTING_LIMIT);
    const entries = jsonOf(answer);
    if (!Array.isArray(entries) || !entries.every(isEntry))
      throw new UserError(
        `${requests.base} lists the files of ${id} in a form that is not the Hub's. Try again later, or download the model and drop its folder.`,
      );
    for (const entry of entries)
      if (entry.type === 'file' && (WANTED.test(entry.path) || WEIGHTS.test(entry.path))) listed.push(entry);
    url = nextPage(answer, requests.base);
  }
  const sharded = listed.some(({ path }) => path === 'model.safetensors.index.json');
  return listed.filter(({ path }) => !(sharded && path === 'model.safetensors'));
}

function isEntry(entry: unknown): entry is ListedFile & { type: string } {
  const { type, path, size, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof path !== 'string') return false;
  if (type !== 'file') return true;
  const { oid, size: lfsSize } = (lfs ?? {}) as Record<string, unknown>;
  return (
    Number.isSafeInteger(size) &&
    (size as number) >= 0 &&
    (lfs === undefined || lfs === null || (typeof oid === 'string' && Number.isSafeInteger(lfsSize)))
  );
}

/** Of a listing in pages: the address of the next, which must be the hub's own. */
function nextPage({ headers }: HubAnswer, base: string): string | undefined {
  const [, next] = /<([^>]+)>;\s*rel="next"/.exec(headers.get('link') ?? '') ?? [];
  const url = next === undefined ? null : URL.parse(next, base);
  return url && url.origin === new URL(base).origin ? url.href : undefined;
}

/** @throws UserError for anything but JSON: the sign-in page of a network, most often */
function jsonOf({ bytes, url, headers }: HubAnswer): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Where the text came from says more than where its JSON breaks off.
    const isPage = /html/i.test(headers.get('content-type') ?? '') || /^\s*</.test(text);
    throw new UserError(
      `${new URL(url).host} answered with ${isPage ? 'a web page' : 'something'} where the Hub sends JSON. If this network asks for a sign-in (a hotel, a train), open any page, sign in and try again.`,
    );
  }
}
