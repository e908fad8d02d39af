/** Brings the errors of a worker, with their stacks, into the log of the thread that started it. */
import { entryOf, nameThread, onRecorded, record, type ErrorEntry } from '../lib/errorLog.ts';

interface ErrorMessage {
  finetabError: ErrorEntry;
  /** Nothing caught the error, so nobody knows what state the worker is in. */
  crashed: boolean;
}

/**
 * In a worker: forwards every entry of its log. An error that nothing caught is sent as well, since the event
 * that browsers give the other side has no stack; one message port keeps it behind the entries that came
 * before.
 */
export function forwardErrors(): void {
  nameThread(`${self.name} worker`);
  const send = (finetabError: ErrorEntry, crashed: boolean) =>
    self.postMessage({ finetabError, crashed } satisfies ErrorMessage);
  onRecorded((entry) => send(entry, false));
  self.addEventListener('error', (event: ErrorEvent) => {
    // Otherwise the starting thread would be notified twice.
    event.preventDefault();
    console.error(event.error ?? event.message);
    send(entryOf(event.error ?? event.message, 'an error that nothing caught'), true);
  });
  self.addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) =>
    send(entryOf(reason, 'a rejection that nothing handled'), false),
  );
}

/**
 * In the thread that started a worker: records what the worker forwards.
 * @param onCrash is called with the message of an error that nothing in the worker caught, or that kept it
 * from loading
 */
export function receiveErrors(worker: Worker, onCrash: (message: string) => void): void {
  worker.addEventListener('message', ({ data }: MessageEvent<Partial<ErrorMessage> | null>) => {
    if (!data?.finetabError) return;
    record(data.finetabError);
    if (data.crashed) onCrash(data.finetabError.message);
  });
  // Before its handlers are installed a worker can fail too: its script does not load or does not run.
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    const message = event.message || 'the worker could not be loaded';
    record(entryOf(new Error(message), 'starting a worker'));
    onCrash(message);
  });
  worker.addEventListener('messageerror', () => {
    const message = 'a message could not be read';
    record(entryOf(new Error(message), 'receiving a message of a worker'));
    onCrash(message);
  });
}
