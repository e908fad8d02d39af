/** What a reload brings back: model, recipe, files with their roles; and what a person has to give again. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FileHandle } from '../../src/page/kept/fileHandles.ts';
import { markOwn, withHandle } from '../../src/page/kept/fileHandles.ts';
import { keepSetting } from '../../src/page/keptSettings.ts';
import { Workspace } from '../../src/page/Workspace.svelte.ts';
import type { KeptFile } from '../../src/worker/import/importProtocol.ts';
import type { DataRequest } from '../../src/worker/dataset/datasetProtocol.ts';
import { UserError } from '../../src/lib/errors.ts';
import { stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport, MODEL, runPlan } from '../helpers/pageData.ts';

let workers: FakeWorkers;
/** What the database has; ids of handles, which a channel of Node does not carry. */
let stored: Map<string, KeptFile>;
let full: boolean;
/** Why the database cannot be read now. */
let fault: Error | null;
let settings: Map<string, string>;
let reads: { parts: string[]; texts: string[]; left: string[] }[];

beforeEach(() => {
  [stored, full, fault, reads] = [new Map(), false, null, []];
  ({ stored: settings } = stubPage());
  for (const key of ['finetab.work', 'finetab.copies', 'finetab.queue']) keepSetting(key, null);
  workers = stubWorkers((name) => {
    if (name === 'trainer') return { plan: async () => runPlan() };
    if (name === 'history') return { runs: async () => [] };
    if (name === 'import')
      return {
        models: async () => [MODEL],
        details: async () => MODEL,
        storage: async () => ({ usedBytes: 0, quotaBytes: 1e9, persisted: true }),
        keepFile: async (id: string, file: KeptFile) => {
          if (full) throw new UserError("The browser's storage is full.");
          stored.set(id, file);
        },
        keptFiles: async () => {
          if (fault) throw fault;
          return stored;
        },
        forgetFiles: async (ids: string[]) => ids.forEach((id) => stored.delete(id)),
      };
    return {
      load: async ({ parts, selection }: DataRequest) => {
        const texts = await Promise.all(parts.map(({ blob }) => blob.text()));
        reads.push({ parts: parts.map((part) => part.name), texts, left: [...selection.leftOut] });
        return fileReport(parts[0].name);
      },
      fingerprints: async () => 'prints',
      overlap: async () => ({ rows: 0, prompts: 0, examples: [] }),
    };
  });
});
afterEach(() => workers.close());

const file = (name: string, text = name) => new File([text], name, { lastModified: 5 });

async function ready(...files: File[]): Promise<Workspace> {
  const workspace = new Workspace();
  await workspace.start();
  await workspace.library.select(MODEL.id);
  await workspace.addData(files);
  return workspace;
}

/** The page after a reload: nothing but what is kept. */
async function reloaded(workspace: Workspace): Promise<Workspace> {
  await workspace.kept.save();
  reads = [];
  const next = new Workspace();
  await next.start();
  expect(next.error).toBeNull();
  return next;
}

const here = ({ data }: Workspace) =>
  data.parts.map(({ part, owner }) => [part.name, owner.role, owner.role === 'validation' ? owner.name : '']);
const missing = ({ kept }: Workspace) => kept.missing.map(({ part }) => part.name);

describe('a reload', () => {
  it('brings back model, recipe and copies: rows, roles, names of sets, order, and rows left out', async () => {
    const workspace = await ready(file('b.jsonl'), file('a.jsonl'), file('c.jsonl'), file('x.val.jsonl'));
    const [{ owner }] = workspace.data.parts;
    await workspace.changeRole(owner, owner.parts[2], 'validation');
    workspace.recipe.lora.r = 4;
    await workspace.leaveOut(['0123456789abcd']);
    workspace.data.skipsBadRows = true;
    await workspace.kept.allowCopies(true);
    expect(workspace.kept.copiedBytes).toBe(3 * 'b.jsonl'.length + 'x.val.jsonl'.length);
    const before = here(workspace);
    const next = await reloaded(workspace);
    expect(here(next)).toEqual(before);
    expect(before).toEqual([
      ['b.jsonl', 'train', ''],
      ['a.jsonl', 'train', ''],
      ['c.jsonl', 'validation', 'c'],
      ['x.val.jsonl', 'validation', 'x'],
    ]);
    expect(next.model?.id).toBe(MODEL.id);
    expect([next.recipe.lora.r, next.data.skipsBadRows, next.kept.restored]).toEqual([4, true, true]);
    expect(reads).toContainEqual({
      parts: ['b.jsonl', 'a.jsonl'],
      texts: ['b.jsonl', 'a.jsonl'],
      left: ['0123456789abcd'],
    });
    expect(next.blockers).toEqual([]);
    expect(missing(next)).toEqual([]);
  });

  it('asks for files of which no copy is allowed by their names, and takes them in their roles', async () => {
    const workspace = await ready(file('rows.jsonl'), file('other.jsonl'));
    const [{ owner }] = workspace.data.parts;
    await workspace.changeRole(owner, owner.parts[1], 'validation');
    const next = await reloaded(workspace);
    expect(stored.size).toBe(0);
    expect([here(next), missing(next)]).toEqual([[], ['rows.jsonl', 'other.jsonl']]);
    await next.addData([file('other.jsonl'), file('rows.jsonl')]);
    expect(here(next)).toEqual([
      ['rows.jsonl', 'train', ''],
      ['other.jsonl', 'validation', 'other'],
    ]);
    expect(missing(next)).toEqual([]);
  });

  it('twice in a row loses nothing of what is still missing, until the person does without', async () => {
    const first = await ready(file('rows.jsonl'));
    const second = await reloaded(first);
    const third = await reloaded(second);
    expect(missing(third)).toEqual(['rows.jsonl']);
    await third.kept.forgetMissing();
    expect(missing(await reloaded(third))).toEqual([]);
  });

  it("keeps the page's own files without asking", async () => {
    const next = await reloaded(await ready(markOwn(file('demo.jsonl')), file('mine.val.jsonl')));
    expect([here(next), missing(next)]).toEqual([[['demo.jsonl', 'train', '']], ['mine.val.jsonl']]);
  });

  it('keeps a mended row, which the file on the disk has not', async () => {
    const dropped = withHandle(file('rows.jsonl'), new FakeHandle('rows.jsonl', 'granted'));
    const workspace = await ready(dropped);
    const [{ part, owner }] = workspace.data.parts;
    workspace.data.replace(owner, part, file('rows.jsonl', 'mended'));
    await workspace.kept.allowCopies(true);
    const next = await reloaded(workspace);
    expect(reads[0].texts).toEqual(['mended']);
    expect(next.data.parts[0].part.isMended).toBe(true);
  });

  it('loses nothing where the database could not be read once', async () => {
    const workspace = await ready(file('rows.jsonl'), file('x.val.jsonl'));
    workspace.recipe.lora.r = 4;
    await workspace.kept.allowCopies(true);
    const before = here(workspace);
    fault = new UserError('The browser closed what it keeps for this page.');
    const hindered = new Workspace();
    await hindered.start();
    expect([hindered.error, hindered.recipe.lora.r]).toEqual([fault.message, 4]);
    expect(missing(hindered)).toEqual(['rows.jsonl', 'x.val.jsonl']);
    await hindered.kept.save();
    fault = null;
    const next = await reloaded(hindered);
    expect([here(next), missing(next), stored.size]).toEqual([before, [], 2]);
  });

  it.each(['null', '{"recipe":{}}', '7', '{"recipe":{},"files":[{"role":"train"}]}', '{"files":{}}', '"'])(
    'starts with an empty page where the work was written as %s',
    async (text) => {
      settings.set('finetab.work', text);
      const next = new Workspace();
      await next.start();
      expect([next.error, next.untouched]).toEqual([null, true]);
    },
  );

  it('says so where the browser keeps no more settings', async () => {
    const workspace = await ready(file('rows.jsonl'));
    localStorage.setItem = () => {
      throw new DOMException('5 MB', 'QuotaExceededError');
    };
    await workspace.kept.save();
    expect(workspace.kept.error).toMatch(/storage for settings is full/);
  });

  it('brings nothing back where the address names a bundle', async () => {
    const workspace = await ready(file('rows.jsonl'));
    await workspace.kept.save();
    vi.stubGlobal('location', new URL('https://page.example/?bundle=class.finetab'));
    const next = new Workspace();
    await next.kept.restore();
    expect([next.model, next.kept.restored]).toEqual([null, false]);
  });
});

/** A file on the disk, as the browser hands it out. */
class FakeHandle implements FileHandle {
  asked = 0;
  constructor(
    private readonly name: string,
    private permission: PermissionState,
    private readonly text: string | null = name,
  ) {}
  getFile(): Promise<File> {
    return this.text === null
      ? Promise.reject(new DOMException('it is gone', 'NotFoundError'))
      : Promise.resolve(file(this.name, this.text));
  }
  queryPermission(): Promise<PermissionState> {
    return Promise.resolve(this.permission);
  }
  requestPermission(): Promise<PermissionState> {
    this.asked++;
    this.permission = 'granted';
    return Promise.resolve('granted');
  }
}

describe('files on the disk', () => {
  /** A workspace whose database has handles; a channel of Node cannot carry them. */
  async function visited(handles: Record<string, FakeHandle>): Promise<Workspace> {
    const next = new Workspace();
    const ask = next.library.worker.ask.bind(next.library.worker);
    next.library.worker.ask = ((question: (api: never) => Promise<unknown>) =>
      question.toString().includes('keptFiles')
        ? Promise.resolve(
            new Map(
              [...stored].map(([id, kept]) => [
                id,
                typeof kept.handle === 'string' ? { handle: handles[kept.handle] } : kept,
              ]),
            ),
          )
        : ask(question as never)) as typeof ask;
    await next.start();
    return next;
  }

  async function keptByHandle(): Promise<void> {
    // What is stored of it is its name, in place of the handle.
    const named = (name: string) => withHandle(file(name), name as unknown as FileHandle);
    const workspace = await ready(named('b.jsonl'), named('a.jsonl'));
    await workspace.kept.save();
    expect([...stored.values()]).toEqual([{ handle: 'b.jsonl' }, { handle: 'a.jsonl' }]);
    reads = [];
  }

  it('are read again at once where the browser still allows it', async () => {
    await keptByHandle();
    const handles = {
      'b.jsonl': new FakeHandle('b.jsonl', 'granted', 'changed since'),
      'a.jsonl': new FakeHandle('a.jsonl', 'granted'),
    };
    const next = await visited(handles);
    expect(reads[0]).toMatchObject({ parts: ['b.jsonl', 'a.jsonl'], texts: ['changed since', 'a.jsonl'] });
    expect([missing(next), handles['b.jsonl'].asked]).toEqual([[], 0]);
  });

  it('are asked for by a click, and stand in the order that they had', async () => {
    await keptByHandle();
    const handles = {
      'b.jsonl': new FakeHandle('b.jsonl', 'prompt'),
      'a.jsonl': new FakeHandle('a.jsonl', 'granted'),
    };
    const next = await visited(handles);
    expect([here(next), missing(next)]).toEqual([[['a.jsonl', 'train', '']], ['b.jsonl']]);
    expect(handles['b.jsonl'].asked).toBe(0);
    await next.kept.reopen();
    expect(handles['b.jsonl'].asked).toBe(1);
    expect(reads.at(-1)!.parts).toEqual(['b.jsonl', 'a.jsonl']);
    expect(missing(next)).toEqual([]);
  });

  it('that are gone are missing, and the others are here', async () => {
    await keptByHandle();
    const next = await visited({
      'b.jsonl': new FakeHandle('b.jsonl', 'granted', null),
      'a.jsonl': new FakeHandle('a.jsonl', 'granted'),
    });
    expect([next.error, missing(next)]).toEqual([null, ['b.jsonl']]);
    await next.kept.reopen();
    expect(next.error).toMatch(/it is gone/);
  });
});

describe('what is kept of files', () => {
  it('is deleted when the person takes the permission back, removes a file, or starts afresh', async () => {
    const workspace = await ready(file('rows.jsonl'), file('x.val.jsonl'));
    await workspace.kept.allowCopies(true);
    expect(stored.size).toBe(2);
    workspace.removeData(workspace.data.validation[0]);
    await workspace.kept.save();
    expect(stored.size).toBe(1);
    await workspace.kept.allowCopies(false);
    expect([stored.size, workspace.kept.copiedBytes]).toEqual([0, 0]);
    await workspace.kept.allowCopies(true);
    await workspace.kept.startAfresh();
    expect([stored.size, workspace.untouched]).toEqual([0, true]);
    const next = await reloaded(workspace);
    expect([next.kept.restored, next.model]).toEqual([false, null]);
  });

  it('says so where the disk is full, and asks for the file after a reload', async () => {
    const workspace = await ready(file('rows.jsonl'));
    full = true;
    await workspace.kept.allowCopies(true);
    expect(workspace.kept.error).toBe("The browser's storage is full.");
    expect(workspace.kept.copiedBytes).toBe(0);
    expect(missing(await reloaded(workspace))).toEqual(['rows.jsonl']);
  });

  it('is not the recipe of a run that the queue puts there', async () => {
    const workspace = await ready(file('rows.jsonl'));
    await workspace.kept.save();
    workspace.queue.active = true;
    workspace.recipe.lora.r = 77;
    const next = await reloaded(workspace);
    expect(next.recipe.lora.r).toBe(16);
  });
});
