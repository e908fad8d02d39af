/**
 * Requests to the Hub: with a limit on silence, tried again where the network broke or the server was busy,
 * and with the access token for the Hub's own host alone.
 */
import { concatenated } from '../../lib/concatenated.ts';
import { report } from '../../lib/errorLog.ts';
import { UserError } from '../../lib/errors.ts';

/** How patient requests are. */
export interface Patience {
  /** Tries of one request, and the pause before the second, doubled for each after it. */
  tries: number;
  pauseMs: number;
  /** Without a byte for so long, a request is given up and tried again. */
  silenceMs: number;
}

export const PATIENCE: Patience = { tries: 4, pauseMs: 500, silenceMs: 10_000 };
/** A busy server may ask for this long a pause; a longer one ends the download. */
const LONGEST_PAUSE_MS = 60_000;

/** The Hub, or a host that it redirects to, answered with a status that is an error. */
export class HubStatusError extends Error {
  override name = 'HubStatusError';

  constructor(
    readonly status: number,
    readonly host: string,
  ) {
    super(`${host} answered with status ${status}`);
  }
}

/** Nothing came, or what came broke off: worth another try. */
class BrokenOff extends Error {
  override name = 'BrokenOff';
}

export interface HubAnswer {
  status: number;
  /** Where the answer came from, after redirects. */
  url: string;
  headers: Headers;
  bytes: Uint8Array;
}

export class HubRequests {
  /** @param base of the Hub, the only host that is given the token @param token '' for none */
  constructor(
    readonly base: string,
    private readonly token: string,
    private readonly patience: Patience = PATIENCE,
  ) {}

  /**
   * Reads an answer whole.
   * @param url of the Hub, or of a host that it redirected to
   * @param limit bytes; a longer answer is not read on
   * @throws HubStatusError, UserError where the host does not answer or the connection breaks every time
   */
  async get(url: string, limit: number, headers: Record<string, string> = {}): Promise<HubAnswer> {
    const { tries, pauseMs } = this.patience;
    for (let attempt = 1; ; attempt++) {
      let pause = pauseMs * 2 ** (attempt - 1);
      try {
        return await this.once(url, limit, headers);
      } catch (error) {
        const isBusy = error instanceof BusyError;
        if (!isBusy && !(error instanceof BrokenOff)) throw error;
        if (isBusy) pause = Math.max(pause, error.retryAfterMs);
        if (attempt === tries || pause > LONGEST_PAUSE_MS) throw this.givenUp(error, url);
        report(error, `attempt ${attempt} to download from the Hub`, 'warning');
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  private givenUp(error: BusyError | BrokenOff, url: string): Error {
    if (error instanceof BusyError) return error.answer;
    return new UserError(
      `The connection to the Hub broke: ${new URL(url).host} ${error.message}. Check the network and start the download again: it goes on where it stopped.`,
    );
  }

  private async once(url: string, limit: number, headers: Record<string, string>): Promise<HubAnswer> {
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), this.patience.silenceMs);
    };
    heard();
    try {
      const response = await fetch(url, {
        headers: { ...headers, ...this.authorization(url) },
        signal: silence.signal,
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
      });
      heard();
      const host = new URL(response.url || url).host;
      if (!response.ok) {
        void response.body?.cancel();
        const answer = new HubStatusError(response.status, host);
        if (response.status === 429 || response.status >= 500)
          throw new BusyError(answer, retryAfterMs(response.headers));
        throw answer;
      }
      const bytes = await bodyOf(response, limit, heard);
      return { status: response.status, url: response.url || url, headers: response.headers, bytes };
    } catch (error) {
      if (silence.signal.aborted)
        throw new BrokenOff(`did not send anything for ${this.patience.silenceMs / 1000} seconds`);
      // fetch and the reading of a body reject so where the network fails.
      if (error instanceof TypeError) throw new BrokenOff('could not be reached, or broke off');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The token, for the Hub's own origin. fetch removes the header where a redirect leaves that origin. */
  private authorization(url: string): Record<string, string> {
    const mayKnow = this.token !== '' && new URL(url).origin === new URL(this.base).origin;
    return mayKnow ? { authorization: `Bearer ${this.token}` } : {};
  }
}

/** A server that asks to be left alone for a while. */
class BusyError extends Error {
  override name = 'BusyError';

  constructor(
    readonly answer: HubStatusError,
    readonly retryAfterMs: number,
  ) {
    super(answer.message);
  }
}

function retryAfterMs(headers: Headers): number {
  const seconds = Number(headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** @param heard is called for every piece that arrives */
async function bodyOf(response: Response, limit: number, heard: () => void): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    heard();
    pieces.push(value);
    length += value.byteLength;
    if (length > limit) {
      // One byte more than asked for is enough to know that the answer is too long.
      void reader.cancel();
      break;
    }
  }
  return concatenated(pieces);
}
