/**
 * Workers of this process for tests of the page's state: each is an API behind ports, which the test can let
 * die.
 */
import { expose } from 'comlink';
import { vi } from 'vitest';
import type { ErrorEntry } from '../../src/lib/errorLog.ts';

export class FakeWorker extends EventTarget {
  terminated = false;
  private readonly channel = new MessageChannel();

  constructor(
    readonly name: string,
    api: object,
  ) {
    super();
    this.channel.port1.onmessage = ({ data, ports }: MessageEvent) =>
      this.dispatchEvent(new MessageEvent('message', { data, ports: [...ports] as MessagePort[] }));
    expose(api, this.channel.port2);
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    // Real workers answer this beside their API.
    if (message === 'finetabRequests') (transfer[0] as MessagePort).postMessage([]);
    else this.channel.port1.postMessage(message, transfer);
  }

  terminate(): void {
    this.terminated = true;
    this.channel.port1.close();
    this.channel.port2.close();
  }

  /** An error that nothing in the worker caught, as errorForwarding.ts sends it. */
  die(message: string): void {
    const finetabError: ErrorEntry = {
      id: `${this.name} ${Math.random()}`,
      at: new Date().toISOString(),
      thread: `${this.name} worker`,
      where: 'an error that nothing caught',
      severity: 'error',
      name: 'Error',
      message,
      stack: `Error: ${message}\n    at ${this.name}.worker.js:1:1`,
    };
    this.dispatchEvent(new MessageEvent('message', { data: { finetabError, crashed: true } }));
  }
}

export interface FakeWorkers {
  /** All that were started, in order. */
  all: FakeWorker[];
  named(name: string): FakeWorker[];
  /** Ends all of them and takes the stub away. */
  close(): void;
}

/** @param apiOf what the nth worker of a name serves, from 0 */
export function stubWorkers(apiOf: (name: string, nth: number) => object): FakeWorkers {
  const all: FakeWorker[] = [];
  const named = (name: string) => all.filter((worker) => worker.name === name);
  vi.stubGlobal(
    'Worker',
    class extends FakeWorker {
      constructor(_url: URL, { name }: { name: string }) {
        super(name, apiOf(name, named(name).length));
        all.push(this);
      }
    },
  );
  return {
    all,
    named,
    close() {
      for (const worker of all) worker.terminate();
      vi.unstubAllGlobals();
    },
  };
}

/** A promise that the test settles. */
export function later<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What a page has and Node has not, as far as state classes use it. */
export function stubPage(href = 'https://page.example/'): { stored: Map<string, string> } {
  const stored = new Map<string, string>();
  vi.stubGlobal('location', new URL(href));
  vi.stubGlobal('history', { replaceState: vi.fn() });
  vi.stubGlobal('navigator', {
    userAgent: 'Node',
    storage: { persist: () => Promise.resolve(true) },
  });
  vi.stubGlobal('document', { getElementById: () => null });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  return { stored };
}
