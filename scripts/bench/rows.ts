/**
 * `npm run bench -- rows [--rows N] [--model FOLDER]`: a generated file of N rows (1,000,000 where not said)
 * of about 60 tokens each is read, planned and trained on for a few steps by the page in headless Chromium.
 * Reports seconds and the memory of the page's process.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { encodeRow } from '../../src/data/rows/encoding/encodeConversation.ts';
import { DEFAULT_DATE_STRING } from '../../src/data/template/chatTemplate.ts';
import { mix32, randomKey } from '../../src/lib/counterRandom.ts';
import { IN_ENGLISH, findOrInstallBrowser, launchBrowser, NO_BROWSER } from '../lib/browser.ts';
import { chooseFiles, download, followRun, pressTrain } from '../lib/drivePage.ts';
import { buildSite, root, serveSite } from '../lib/site.ts';
import { tokenizerOfModel } from '../lib/modelTokenizer.ts';

const TOKENS_A_ROW = 60;
const STEPS = 32;
/** From here to LATE_STEP the page's processor time is counted: kernels and caches are warm by then. */
const WARM_STEP = 10;
/** The step whose time is reported. */
const LATE_STEP = 30;
const ROWS_A_STEP = 8;
const WRITTEN_AT_ONCE = 20_000;
const SAMPLE_MS = 250;

export interface RowsBench {
  rows: number;
  fileMB: number;
  tokens: number;
  /** From dropping the file to its report, and from there to the run's plan. */
  loadSeconds: number;
  planSeconds: number;
  /** From pressing Train to the end of the first step: the rows are handed over, the engine is made. */
  firstStepSeconds: number;
  /** Of the step alone. */
  lateStepMs: number;
  /**
   * Processor time of the page's process a step, its workers included: what a step costs beside the GPU's
   * work.
   * Null where the system does not say.
   */
  hostMsAStep: number | null;
  /**
   * The page's process, its workers included, before the file and at most; MB. Null where the system does not
   * say.
   */
  privateMBBefore: number | null;
  privateMBAtMost: number | null;
  privateMBAfterLoading: number | null;
  /** JavaScript objects of the page and of each worker at most, without the contents of typed arrays; MB. */
  heapMBAtMost: Record<string, number>;
}

export async function benchRows(args: string[]): Promise<RowsBench> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '1000000' },
      model: { type: 'string', default: join(root, 'public', 'demo') },
    },
  });
  const rows = Number(values.rows);
  if (!Number.isInteger(rows) || rows < 1) throw new Error(`--rows ${values.rows}: it is a whole number`);
  const executable = findOrInstallBrowser();
  if (!executable) throw new Error(NO_BROWSER);
  await buildSite();
  const folder = await mkdtemp(join(tmpdir(), 'finetab-rows-'));
  const site = await serveSite();
  try {
    const data = join(folder, 'train.jsonl');
    const fileBytes = await writeRows(data, rows, await tokenizerOfModel(values.model));
    console.log(
      `${rows} rows in ${(fileBytes / 1e6).toFixed(0)} MB, load average ${loadavg()[0].toFixed(1)}`,
    );
    const { browser } = await launchBrowser(executable, site.url);
    try {
      const page = await browser.newPage(IN_ENGLISH);
      page.on('crash', () => console.error('The page crashed.'));
      await page.goto(site.url);
      const figures = await drive(browser, page, { folder, model: values.model, data, rows });
      return { rows, fileMB: fileBytes / 1e6, ...figures };
    } finally {
      await browser.close();
    }
  } finally {
    await site.close();
    await rm(folder, { recursive: true });
  }
}

async function drive(
  browser: Browser,
  page: Page,
  { folder, model, data, rows }: { folder: string; model: string; data: string; rows: number },
): Promise<Omit<RowsBench, 'rows' | 'fileMB'>> {
  const recipe = join(folder, 'recipe.json');
  await writeFile(
    recipe,
    JSON.stringify({
      max_length: 128,
      lora: { r: 4 },
      training: { max_steps: STEPS, per_device_train_batch_size: ROWS_A_STEP },
      evaluation: { eval_steps: STEPS },
    }),
  );
  const names = (await readdir(model)).filter((name) => /^(config|tokenizer.*)\.json$|^model/.test(name));
  await chooseFiles(page, 'Load a recipe', recipe);
  await chooseFiles(
    page,
    'Choose model files',
    names.map((name) => join(model, name)),
  );
  const memory = new MemoryWatch(browser, page);
  const before = await memory.start();
  const seconds = stopwatch();
  await page.locator('input[aria-label="Choose data files"]').setInputFiles(data);
  const card = page.getByRole('article', { name: 'train.jsonl' });
  await card.locator('dl.figures').or(card.getByRole('alert')).first().waitFor({ timeout: 0 });
  const loadSeconds = seconds();
  await page.locator('main[aria-busy="false"]').waitFor({ timeout: 0 });
  const planSeconds = seconds();
  const afterLoading = await memory.now();
  const [counted, tokens] = (await card.locator('dl.figures dd').allInnerTexts()).map((text) =>
    Number(text.replace(/\D/g, '')),
  );
  if (counted !== rows) throw new Error(`${counted} of ${rows} rows are used`);
  console.log(`read in ${loadSeconds.toFixed(1)} s, planned in ${planSeconds.toFixed(1)} s`);
  await pressTrain(page);
  let firstStepSeconds: number | null = null;
  const run = stopwatch();
  const warm: { step: number; seconds: number }[] = [];
  await followRun(page, ({ step }) => {
    if (step > 0) firstStepSeconds ??= run();
    const seconds = memory.processorSeconds();
    if (seconds !== null && step >= WARM_STEP && step <= LATE_STEP) warm.push({ step, seconds });
  });
  const lateStepMs = stepMs(new TextDecoder().decode(await download(page, 'metrics.jsonl')), LATE_STEP);
  return {
    tokens,
    loadSeconds,
    planSeconds,
    firstStepSeconds: firstStepSeconds!,
    lateStepMs,
    hostMsAStep: msAStep(warm),
    privateMBBefore: before,
    privateMBAfterLoading: afterLoading,
    ...(await memory.stop()),
  };
}

/** Seconds since the last call, or since it was made. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const since = last;
    last = performance.now();
    return (last - since) / 1000;
  };
}

function stepMs(metricsJsonl: string, step: number): number {
  const lines = metricsJsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  const seen = (of: number) => lines.find((line) => line.step === of && 'loss' in line)!;
  const tokens = seen(step).num_input_tokens_seen - seen(step - 1).num_input_tokens_seen;
  return (1000 * tokens) / seen(step).tokens_per_second;
}

/** Milliseconds a step from the first sample to the last; null where there are not two. */
function msAStep(samples: readonly { step: number; seconds: number }[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.step === first.step) return null;
  return (1000 * (last.seconds - first.seconds)) / (last.step - first.step);
}

const WORDS =
  'the a cat dog sun went home saw big red little girl boy played with happy said to mom and'.split(' ');

/** A row that no other repeats: words by its number, and the number in letters. */
function rowText(row: number, words: number): { query: string; response: string } {
  const word = (i: number) => WORDS[mix32(randomKey(mix32(row), i)) % WORDS.length];
  const all = Array.from({ length: words }, (_, i) => word(i));
  const name = row.toString(26).replace(/./g, (digit) => String.fromCharCode(97 + parseInt(digit, 26)));
  const half = Math.floor(words / 2);
  return { query: `${name} ${all.slice(0, half).join(' ')}?`, response: `${all.slice(half).join(' ')}.` };
}

/** @returns bytes */
async function writeRows(path: string, rows: number, tokenizer: ChatTokenizer): Promise<number> {
  const words = wordsFor(TOKENS_A_ROW, tokenizer);
  const file = createWriteStream(path);
  for (let first = 0; first < rows; first += WRITTEN_AT_ONCE) {
    const count = Math.min(WRITTEN_AT_ONCE, rows - first);
    const lines = Array.from({ length: count }, (_, i) => `${JSON.stringify(rowText(first + i, words))}\n`);
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  return file.bytesWritten;
}

/** Words of a row that has so many tokens on average with the page's own settings. */
function wordsFor(tokens: number, tokenizer: ChatTokenizer): number {
  const settings = {
    systemPrompt: 'You are a helpful and friendly assistant.',
    dateString: DEFAULT_DATE_STRING,
  };
  const mean = (words: number) =>
    Array.from(
      { length: 50 },
      (_, i) => encodeRow(rowText(997 * i, words), tokenizer, settings).inputIds.length,
    ).reduce((a, b) => a + b, 0) / 50;
  let words = 2;
  while (mean(words + 1) <= tokens) words++;
  return words;
}

/** Samples the private memory of the page's process (Linux), and the heaps of the page and its workers. */
class MemoryWatch {
  private pid: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private most = 0;
  private readonly heaps = new Map<string, number>();
  private asked = 0;

  constructor(
    private readonly browser: Browser,
    private readonly page: Page,
  ) {}

  /** @returns MB now */
  async start(): Promise<number | null> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = await Promise.all(
      processInfo
        .filter(({ type }) => type === 'renderer')
        .map(async ({ id }) => ({ id, bytes: (await privateBytes(id)) ?? 0 })),
    );
    // Browsers keep a spare renderer: the page's is the one that holds more.
    this.pid = renderers.sort((a, b) => b.bytes - a.bytes)[0]?.id ?? null;
    const askHeaps = await this.watchHeaps();
    this.timer = setInterval(() => {
      askHeaps();
      void this.now().then((now) => (this.most = Math.max(this.most, now ?? 0)));
    }, SAMPLE_MS);
    return this.now();
  }

  async now(): Promise<number | null> {
    const bytes = this.pid === null ? null : await privateBytes(this.pid);
    return bytes === null ? null : bytes / 1e6;
  }

  /** Processor time of the page's process since it began, its workers included. */
  processorSeconds(): number | null {
    return this.pid === null ? null : processorSeconds(this.pid);
  }

  async stop(): Promise<{ privateMBAtMost: number | null; heapMBAtMost: Record<string, number> }> {
    if (this.timer) clearInterval(this.timer);
    return {
      privateMBAtMost: this.most === 0 ? null : this.most,
      heapMBAtMost: Object.fromEntries(this.heaps),
    };
  }

  /** @returns asks the page and every worker for its heap; a thread that is busy answers when it is free */
  private async watchHeaps(): Promise<() => void> {
    const session = await this.page.context().newCDPSession(this.page);
    const workers = new Map<string, string>();
    const note = (name: string, bytes: number) =>
      this.heaps.set(name, Math.max(this.heaps.get(name) ?? 0, bytes / 1e6));
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      const name = /(\w+)\.worker/.exec(targetInfo.url)?.[1];
      if (name) workers.set(sessionId, name);
    });
    session.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      const { result } = JSON.parse(message) as { result?: { usedSize?: number } };
      if (result?.usedSize) note(workers.get(sessionId) ?? 'other', result.usedSize);
    });
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    return () => {
      // A thread that is gone answers with an error: its last sample stands.
      const gone = () => undefined;
      session.send('Runtime.getHeapUsage').then(({ usedSize }) => note('page', usedSize), gone);
      const message = JSON.stringify({ id: ++this.asked, method: 'Runtime.getHeapUsage' });
      for (const sessionId of workers.keys())
        session.send('Target.sendMessageToTarget', { sessionId, message }).catch(gone);
    };
  }
}

/** Memory that a process shares with no other. Null on systems without /proc. */
async function privateBytes(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => null);
  if (text === null) return null;
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].map(([, value]) =>
    Number(value),
  );
  return 1024 * kilobytes.reduce((a, b) => a + b, 0);
}

/** Ticks a second of /proc/PID/stat (USER_HZ), which is 100 wherever Chromium runs. */
const TICKS_A_SECOND = 100;

/** User and system time of a process. Null on systems without /proc. */
function processorSeconds(pid: number): number | null {
  try {
    // After the name in brackets: state is field 3, utime 14 and stime 15 (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return null; // No /proc here, or the process has ended.
  }
}
