/** What the page's own code takes of the main thread, as Chromium traces it. */
import type { Page } from 'playwright-core';

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Processor time of a task in microseconds. */
  tdur?: number;
  args: { name?: string };
}

/** Chromium's name for a task of a thread's queue, whatever it then calls. */
const TASK = 'ThreadControllerImpl::RunTask';

/**
 * Traces the tasks of the main threads of pages from now on. Counted is the processor's time that a task
 * takes: where a software adapter computes on all cores, the time of day is mostly its own.
 */
export async function traceMainThread(page: Page): Promise<{
  /** Ends the trace. @returns milliseconds of each task */
  tasks(): Promise<number[]>;
}> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel'] },
  });
  return {
    async tasks() {
      const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
      await session.send('Tracing.end');
      await complete;
      await session.detach();
      const id = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
      const threads = new Set(
        events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(id),
      );
      return events
        .filter((event) => event.ph === 'X' && event.name === TASK && threads.has(id(event)))
        .map(({ tdur }) => tdur! / 1000);
    },
  };
}
