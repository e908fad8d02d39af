/**
 * The error log of this thread: the latest errors with their stacks, so that a report or "Copy details" can
 * show what happened. Workers forward theirs to the page (src/worker/errorForwarding.ts), whose log then has
 * everything.
 */

/**
 * error: something did not work. warning: the program went on in another way, or the cause was a person's
 * input.
 */
export type Severity = 'error' | 'warning';

export interface ErrorEntry {
  /** Differs between all entries of the page and its workers. */
  id: string;
  /** ISO 8601. */
  at: string;
  /** 'page', or the name of a worker. */
  thread: string;
  /** What the program was doing, in a few words: 'writing a checkpoint'. */
  where: string;
  severity: Severity;
  /** Class of the error. */
  name: string;
  message: string;
  /** With the stacks of its causes; null where a browser gave none. */
  stack: string | null;
}

/** Entries kept in a log: older ones are dropped. */
const CAPACITY = 100;

/** The latest entries, in the order in which they came. */
export class ErrorLog {
  private readonly ring: ErrorEntry[] = [];
  private next = 0;

  constructor(private readonly capacity = CAPACITY) {}

  /** @returns false where the entry is already there: it is not added again */
  add(entry: ErrorEntry): boolean {
    if (this.ring.some(({ id }) => id === entry.id)) return false;
    this.ring[this.next] = entry;
    this.next = (this.next + 1) % this.capacity;
    return true;
  }

  /** The oldest first. */
  entries(): ErrorEntry[] {
    return this.ring.length < this.capacity
      ? [...this.ring]
      : [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }
}

const log = new ErrorLog();
const listeners = new Set<(entry: ErrorEntry) => void>();
let thread = 'page';
let count = 0;

/** Names the thread in its entries from now on; a worker calls it first of all. */
export function nameThread(name: string): void {
  thread = name;
}

/**
 * Records an error that is not thrown any further. The same error that reaches another `catch` is recorded
 * again there, with what that place was doing.
 * @param where what the program was doing, in a few words
 */
export function report(error: unknown, where: string, severity: Severity = 'error'): void {
  record(entryOf(error, where, severity));
}

/** Adds an entry that was made here or that another thread forwarded. */
export function record(entry: ErrorEntry): void {
  if (!log.add(entry)) return;
  for (const listener of listeners) listener(entry);
}

/** As `report` would record it. */
export function entryOf(error: unknown, where: string, severity: Severity = 'error'): ErrorEntry {
  const isError = error instanceof Error;
  return {
    id: `${thread} ${count++} ${Date.now()}`,
    at: new Date().toISOString(),
    thread,
    where,
    severity,
    name: isError ? error.name : typeof error,
    message: isError ? error.message : String(error),
    stack: isError ? stackOf(error) : null,
  };
}

/** Entries of this thread's log, the oldest first. */
export function recordedErrors(): ErrorEntry[] {
  return log.entries();
}

/** @param listener is given every entry from now on @returns ends it */
export function onRecorded(listener: (entry: ErrorEntry) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Entries of two logs, each once, the oldest first. */
export function mergeEntries(a: readonly ErrorEntry[], b: readonly ErrorEntry[]): ErrorEntry[] {
  const byId = new Map([...a, ...b].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((x, y) => (x.at < y.at ? -1 : x.at > y.at ? 1 : 0));
}

/** Entries as text for a person who reports a fault. */
export function entriesToText(entries: readonly ErrorEntry[]): string {
  return entries
    .map(({ at, thread, where, severity, name, message, stack }) => {
      const head = `${name}: ${message}`;
      // Some browsers begin a stack with the message, others do not.
      const rest = stack?.startsWith(head) ? stack.slice(head.length).trim() : (stack ?? '').trim();
      return [`${at} ${thread}, ${where} (${severity})`, head, ...(rest === '' ? [] : [rest])].join('\n');
    })
    .join('\n\n');
}

function stackOf(error: Error): string | null {
  const { stack = null, cause } = error;
  if (cause === undefined) return stack;
  const inner = cause instanceof Error ? (stackOf(cause) ?? cause.message) : textOf(cause);
  return `${stack ?? error.message}\ncaused by ${inner}`;
}

/** What was thrown that is no error: a text as it is, anything else as JSON where it has a form there. */
function textOf(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? typeof thrown);
}
