/** What a page and each of its workers hold, asked over the browser's debugging protocol. */
import type { CDPSession, Page } from 'playwright-core';

/** Bytes that one thread holds. */
export interface ThreadHeap {
  thread: string;
  usedBytes: number;
}

interface Worker {
  sessionId: string;
  name: string;
}

export class Threads {
  private readonly workers = new Map<string, Worker>();
  private readonly waiting = new Map<string, (answer: { result?: unknown; error?: unknown }) => void>();
  private calls = 0;

  private constructor(private readonly session: CDPSession) {}

  /** @param page before it has started workers */
  static async of(page: Page): Promise<Threads> {
    const session = await page.context().newCDPSession(page);
    const threads = new Threads(session);
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type !== 'worker') return;
      const name = /(\w+)\.worker/.exec(targetInfo.url)?.[1] ?? targetInfo.title;
      threads.workers.set(sessionId, { sessionId, name });
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => void threads.workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      const { id, ...answer } = JSON.parse(message) as { id?: number; result?: unknown; error?: unknown };
      threads.waiting.get(`${sessionId} ${id}`)?.(answer);
    });
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    return threads;
  }

  /** Of each thread the least of several looks, half a second apart. */
  async leastHeaps(looks: number): Promise<ThreadHeap[]> {
    let least = await this.heaps();
    for (let look = 1; look < looks; look++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const heaps = await this.heaps();
      // A worker that ended or began meanwhile.
      least = heaps.map((heap, i) =>
        least[i]?.thread === heap.thread && least[i].usedBytes < heap.usedBytes ? least[i] : heap,
      );
    }
    return least;
  }

  /** The page first, then its workers. @param collect after a collection of garbage in each */
  async heaps(collect = true): Promise<ThreadHeap[]> {
    if (collect) await this.session.send('HeapProfiler.collectGarbage');
    const page = await this.session.send('Runtime.getHeapUsage');
    const heaps = [{ thread: 'page', usedBytes: totalOf(page) }];
    for (const worker of this.workers.values()) {
      if (collect) await this.ask(worker, 'HeapProfiler.collectGarbage');
      const usage = await this.ask(worker, 'Runtime.getHeapUsage');
      if (usage) heaps.push({ thread: worker.name, usedBytes: totalOf(usage as HeapUsage) });
    }
    return heaps;
  }

  /** @returns undefined where the worker has ended meanwhile */
  private async ask({ sessionId }: Worker, method: string): Promise<unknown> {
    const id = ++this.calls;
    const key = `${sessionId} ${id}`;
    const answered = new Promise<{ result?: unknown; error?: unknown }>((resolve) => {
      this.waiting.set(key, resolve);
      setTimeout(() => resolve({}), 30_000);
    });
    await this.session.send('Target.sendMessageToTarget', {
      sessionId,
      message: JSON.stringify({ id, method }),
    });
    const { result } = await answered;
    this.waiting.delete(key);
    return result;
  }
}

interface HeapUsage {
  usedSize: number;
  /** Of array buffers; only newer browsers name it. */
  backingStorageSize?: number;
}

function totalOf({ usedSize, backingStorageSize = 0 }: HeapUsage): number {
  return usedSize + backingStorageSize;
}
