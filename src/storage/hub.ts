/**
 * Models on the Hugging Face Hub: the files of a model, each as a Blob whose ranges are fetched when they are
 * read.
 */
import { downloadFile, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import type { NamedFile } from '../formats/checkpoint.ts';
import { UserError } from '../lib/errors.ts';
import { isHubId } from '../lib/hubId.ts';
import { report } from '../lib/errorLog.ts';

export interface HubAccess {
  /** Another hub than huggingface.co, as HF_ENDPOINT has it. */
  endpoint?: string;
  /** For gated and private models; used for these requests, never stored. */
  token?: string;
}

export interface HubModel {
  /** Commit that the files were read from. */
  revision: string;
  files: NamedFile[];
}

const WANTED =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map)\.json$|^chat_template\.(jinja|json)$|^model\.safetensors\.index\.json$/;
const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors$/;
/** Tries of one request, and the pause before the second, doubled for each after it. */
const TRIES = 4;
const PAUSE_MS = 500;

/**
 * @param id "owner/name"
 * @throws UserError where there is no such model, it is gated, or the hub cannot be reached
 */
export async function openHubModel(id: string, { endpoint, token }: HubAccess = {}): Promise<HubModel> {
  if (!isHubId(id))
    throw new UserError(
      `${JSON.stringify(id)} is not the name of a model on the Hub. Write owner/name, such as HuggingFaceTB/SmolLM2-135M-Instruct.`,
    );
  if (token && !token.startsWith('hf_'))
    throw new UserError(
      'An access token of the Hub begins with "hf_". Make one under Settings → Access Tokens on huggingface.co.',
    );
  const access = {
    hubUrl: endpoint?.replace(/\/+$/, ''),
    accessToken: token || undefined,
    fetch: patientFetch,
  };
  return fromHub(id, async () => {
    const { sha: revision } = await modelInfo({ ...access, name: id, additionalFields: ['sha'] });
    const listed: { path: string; sha256?: string }[] = [];
    for await (const { type, path, lfs } of listFiles({ ...access, repo: id, revision })) {
      if (type === 'file' && (WANTED.test(path) || WEIGHTS.test(path)))
        listed.push({ path, sha256: lfs?.oid });
    }
    const sharded = listed.some(({ path }) => path === 'model.safetensors.index.json');
    const wanted = listed.filter(({ path }) => !(sharded && path === 'model.safetensors'));
    const files = await Promise.all(
      wanted.map(async ({ path, sha256 }): Promise<NamedFile> => {
        // Plain ranges instead of the hub's chunk protocol, which requests a plan for every slice.
        const blob = await downloadFile({ ...access, repo: id, revision, path, xet: false });
        if (!blob) throw new UserError(`${id} lists ${path}, but the Hub does not give it. Try again later.`);
        return { path, blob, sha256 };
      }),
    );
    return { revision, files };
  });
}

/** Runs work that reads from the hub; its errors become ones that say what to do. */
export async function fromHub<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HubApiError) throw new UserError(refusal(id, error.statusCode));
    if (error instanceof TypeError)
      throw new UserError(
        `The connection to the Hub broke while ${id} was read. Check the network and start the download again: it goes on where it stopped.`,
      );
    throw error;
  }
}

function refusal(id: string, status: number): string {
  // The hub also answers 401 for models that do not exist, to keep the names of private ones secret.
  if (status === 401 || status === 403)
    return `The Hub does not give ${id} without permission: it is gated or private, or there is no such model. Accept its licence on its page and enter an access token, or download it and drop the folder.`;
  if (status === 404) return `There is no model ${id} on the Hub. Check the spelling: owner/name.`;
  return `The Hub answered with status ${status} for ${id}. Try again later, or download the model and drop its folder.`;
}

/** fetch that tries again where the network broke or the server was busy. */
async function patientFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(...request);
      if (attempt === TRIES || (response.status !== 429 && response.status < 500)) return response;
    } catch (error) {
      if (attempt === TRIES) throw error;
      report(error, `attempt ${attempt} to download from the Hub`, 'warning');
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** (attempt - 1)));
  }
}
