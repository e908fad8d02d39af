/**
 * A student's page in a class. Nothing is sent before the student has joined, and then only what the student
 * agreed to; an adapter is sent by a press of its own.
 */
import { t } from '../language/messages.svelte.ts';
import {
  ASK_EVERY_MS,
  type Choice,
  type Joined,
  type Progress,
  type StudentNews,
} from '../../lib/classroom/protocol.ts';
import { messageOf } from '../../lib/errors.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import type { RunView } from '../run/RunView.svelte.ts';
import type { Result } from '../result/Result.svelte.ts';
import type { Recipe } from '../../training/recipe.ts';
import { reported } from '../errors/reported.ts';
import type { BundlePlace } from '../../worker/import/importProtocol.ts';
import { classInAddress } from './classInAddress.ts';
import { adapterFiles, adapterZip } from './adapterZip.ts';
import { bundleUrl, classRequest, NotInClassError } from './classRequests.ts';
import { promptAnswers } from './promptAnswers.ts';

/** What the class needs of the page. */
export interface ClassHost {
  readonly run: RunView | null;
  readonly result: Result | null;
  readonly recipe: Recipe;
  readonly runs: { tryAdapter(files: readonly File[]): Promise<void> };
  readonly bundles: {
    readonly title: string | null;
    open(place: BundlePlace, name: string): Promise<boolean>;
  };
}

const KEPT = 'finetab.class';

export class ClassLink {
  code = $state(classInAddress() ?? '');
  name = $state('');
  /** What the student agreed to beside the name. */
  shares = $state({ loss: false, answers: false });
  joined = $state.raw<Joined | null>(null);
  news = $state.raw<StudentNews | null>(null);
  busy = $state<string | null>(null);
  error = $state<string | null>(null);
  /** What was sent, in a sentence. */
  sent = $state<string | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastProgress = '';
  /** Answers that were sent, by prompt and adapter. */
  private answered: readonly string[] = [];

  constructor(private readonly host: ClassHost) {}

  /** Fetches the class's bundle. Needs no more than the code: nothing of the student is sent. */
  async openBundle(): Promise<void> {
    await this.host.bundles.open({ url: bundleUrl(this.code.trim()) }, t.classroom.classBundle);
  }

  async join(): Promise<void> {
    await this.during(t.classroom.joining, async () => {
      const response = await classRequest('class/join', {
        method: 'POST',
        token: keptSetting(KEPT) ?? '-',
        json: { code: this.code.trim(), name: this.name.trim() },
      });
      this.joined = (await response.json()) as Joined;
      keepSetting(KEPT, this.joined.token);
      this.lastProgress = '';
      this.answered = [];
      if (this.host.bundles.title === null) await this.openBundle();
      void this.keepAsking();
    });
  }

  /** Takes the student's page out of the class; what was sent stays with the teacher. */
  async leave(): Promise<void> {
    const { joined } = this;
    if (!joined) return;
    this.stop();
    await this.during(t.classroom.leaving, async () => {
      await classRequest('class/leave', { method: 'POST', token: joined.token, json: {}, keepalive: true });
    });
  }

  async sendAdapter(): Promise<void> {
    const { result } = this.host;
    const token = this.joined?.token;
    if (!result || !token) return;
    await this.during(t.classroom.sendingAdapter, async () => {
      const body = adapterZip(await result.files.adapter());
      await classRequest('class/adapter', { method: 'PUT', token, body });
      this.sent = t.classroom.adapterSent(body.size);
    });
  }

  async vote(choice: Choice): Promise<void> {
    const match = this.news?.match;
    const token = this.joined?.token;
    if (!match || !token) return;
    await this.during(t.classroom.voting, async () => {
      await classRequest('class/vote', { method: 'POST', token, json: { match: match.id, choice } });
      this.news = { ...this.news!, match: { ...match, vote: choice } };
    });
  }

  /** Asks the blended adapter of the class in this page. */
  async tryBlend(): Promise<void> {
    const token = this.joined?.token;
    if (!token) return;
    await this.during(t.classroom.fetchingBlend, async () => {
      const bytes = new Uint8Array(await (await classRequest('class/blend', { token })).arrayBuffer());
      await this.host.runs.tryAdapter(adapterFiles(bytes));
    });
  }

  private async keepAsking(): Promise<void> {
    clearTimeout(this.timer);
    const token = this.joined?.token;
    if (!token) return;
    try {
      this.news = (await (await classRequest('class/news', { token })).json()) as StudentNews;
      this.error = null;
      if (this.shares.loss) await this.sendProgress(token);
      if (this.shares.answers) await this.sendAnswers(token);
    } catch (error) {
      this.error = t.errors.shown(messageOf(error));
      if (error instanceof NotInClassError) return this.stop();
    }
    if (this.joined) this.timer = setTimeout(() => void this.keepAsking(), ASK_EVERY_MS);
  }

  private async sendProgress(token: string): Promise<void> {
    const progress = progressOf(this.host.run);
    const text = JSON.stringify(progress);
    if (text === this.lastProgress) return;
    await classRequest('class/progress', { method: 'POST', token, json: progress });
    this.lastProgress = text;
  }

  /** Answers the prompts that this adapter has not answered yet; not while a run goes on. */
  private async sendAnswers(token: string): Promise<void> {
    const { run, result } = this.host;
    if (!result || result.chat.busy || run?.active) return;
    const open = (this.news?.prompts ?? []).filter(
      ({ id }) => !this.answered.includes(`${result.runId} ${id}`),
    );
    if (open.length === 0) return;
    this.busy = t.classroom.answering;
    try {
      const answers = await promptAnswers(result, open);
      await classRequest('class/answers', { method: 'POST', token, json: { answers } });
      this.answered = [...this.answered, ...open.map(({ id }) => `${result.runId} ${id}`)];
    } finally {
      this.busy = null;
    }
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.joined = null;
    this.news = null;
    keepSetting(KEPT, null);
  }

  private async during(what: string, work: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.error = this.sent = null;
    try {
      await work();
    } catch (error) {
      this.error = reported(error, what);
    }
    this.busy = null;
  }
}

function progressOf(run: RunView | null): Progress {
  if (!run) return { state: 'ready', step: 0, totalSteps: 0, loss: null, evaluations: {} };
  const last = run.training.values.at(-1);
  const evaluations = run.validation.flatMap(({ name, values }) => {
    const value = values.at(-1);
    return value === undefined || !Number.isFinite(value) ? [] : [[name.slice(0, 64), value] as const];
  });
  return {
    state: run.active ? 'training' : 'done',
    step: run.step,
    totalSteps: run.totalSteps,
    loss: last === undefined || !Number.isFinite(last) ? null : last,
    evaluations: Object.fromEntries(evaluations.slice(0, 16)),
  };
}
