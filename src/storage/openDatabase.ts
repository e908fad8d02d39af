/** Opens the one IndexedDB database, creates it, and brings it from earlier versions to this one. */
import { openDB, unwrap, type OpenDBCallbacks } from 'idb';
import { messageOf, UserError } from '../lib/errors.ts';
import { handledElsewhere } from '../lib/promises.ts';
import { newRun, type Database, type RunRecord, type RunState, type Schema } from './database.ts';

const NAME = 'finetab';
const VERSION = 5;
/** For so long another tab with an older version of the page may hold the database. */
const HELD_MS = 10_000;

let inMemory: ((cause: string) => Database) | null = null;

/** @param make a database in memory, which takes the place of IndexedDB where the browser keeps no data */
export function useInMemory(make: typeof inMemory): void {
  inMemory = make;
}

/**
 * Opens the database, creating it or bringing it from any earlier version to this one.
 * @throws UserError where a newer version wrote it, or this browser keeps no data for the page and there is
 * no memory in its place
 */
export function openDatabase(name = NAME, heldMs = HELD_MS): Promise<Database> {
  const opened = databaseOrMemory(name, heldMs);
  // Workers open it before they are asked for anything: the first question gets the error.
  handledElsewhere(opened);
  return opened;
}

async function databaseOrMemory(name: string, heldMs: number): Promise<Database> {
  try {
    return withWords(await openedInTime(name, heldMs));
  } catch (error) {
    if (!isBlocked(error)) throw unopened(error);
    // Whoever opens it first may be about to say what takes its place.
    await Promise.resolve();
    if (!inMemory) throw unopened(error);
    return inMemory(messageOf(error));
  }
}

/**
 * A browser closes the database when a person clears the site's data, and refuses every transaction from
 * then on: the error says so.
 */
function withWords(database: Database): Database {
  const raw = unwrap(database);
  const begin = raw.transaction.bind(raw);
  raw.transaction = (...args) => {
    try {
      return begin(...args);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      throw new UserError(
        'The browser closed what it keeps for this page: its site data was cleared, or a newer version of the page was opened. A run that is going on ends here and can be downloaded, but nothing more is kept; then reload the page.',
      );
    }
  };
  return database;
}

/** Whether the browser keeps no data for the page, or cannot. */
function isBlocked(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return ['SecurityError', 'InvalidStateError', 'UnknownError', 'ReferenceError', 'TypeError'].includes(name);
}

/** What to do where the database cannot be opened. */
function unopened(error: unknown): unknown {
  const name = error instanceof Error ? error.name : '';
  if (name === 'VersionError')
    return new UserError(
      'What this browser keeps was written by a newer version of Finetab. Close all its tabs and open the page again, which then is the newer version.',
    );
  if (isBlocked(error))
    return new UserError(
      `This browser keeps no data for this page (${messageOf(error)}), so models and runs cannot be stored. Allow site data for this address, leave private browsing, or use another browser profile; then reload.`,
    );
  return error;
}

/**
 * A tab with an older version closes its database when it hears of this one; a tab that the browser has
 * frozen does not hear of it.
 */
function openedInTime(name: string, heldMs: number): Promise<Database> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLate = false;
    const opened = openedDatabase(name, () => {
      timer = setTimeout(() => {
        isLate = true;
        reject(
          new UserError(
            'An older version of this page is open in another tab, and holds what this browser keeps. Close the other tabs of this page, then reload this one.',
          ),
        );
      }, heldMs);
    });
    opened.then(
      (database) => (isLate ? database.close() : resolve(database)),
      (error: unknown) => reject(error as Error),
    );
    // The caller was given the failure above.
    opened.catch(() => undefined).finally(() => clearTimeout(timer));
  });
}

function openedDatabase(name: string, onHeld: () => void): Promise<Database> {
  return openDB<Schema>(name, VERSION, {
    blocked: onHeld,
    // A failure aborts the transaction, and with it the opening.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    async upgrade(database, oldVersion, _newVersion, transaction) {
      if (oldVersion < 1) {
        database.createObjectStore('models', { keyPath: 'id' });
        database.createObjectStore('chunks');
        database.createObjectStore('runs', { keyPath: 'id' });
        database.createObjectStore('checkpoints', { keyPath: 'id' }).createIndex('runId', 'runId');
      }
      if (oldVersion < 2) {
        database.createObjectStore('parts');
        database.createObjectStore('evaluations', { keyPath: ['runId', 'name', 'step'] });
        if (oldVersion === 1) await fromVersion1(transaction);
      }
      if (oldVersion < 3) database.createObjectStore('tuning');
      if (oldVersion < 4) database.createObjectStore('pieces');
      if (oldVersion < 5) database.createObjectStore('files');
    },
    blocking(_current, _next, event) {
      // A newer version of the page in another tab waits to upgrade the database.
      (event.target as IDBDatabase).close();
    },
  });
}

type Upgrade = Parameters<NonNullable<OpenDBCallbacks<Schema>['upgrade']>>[3];

/** Version 1 kept a run's state and what a resume needs, under `data`. */
async function fromVersion1(transaction: Upgrade): Promise<void> {
  const runs = transaction.objectStore('runs');
  for (const old of (await runs.getAll()) as unknown as {
    id: string;
    startedAt: string;
    state: RunState;
    data: Partial<RunRecord>;
  }[]) {
    const { data, ...run } = old;
    await runs.put({ ...newRun(run.id), ...data, ...run });
  }
}
