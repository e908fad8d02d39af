/** Answers of another model on this computer: asked for by the person, changed, and kept as rows. */
import { reported } from '../../errors/reported.ts';
import { answerOf, modelsOf } from './askServer.ts';

export interface DistilledRow {
  prompt: string;
  answer: string;
  /** Why there is none. */
  failure: string | null;
}

export class Distil {
  prompts = $state('');
  model = $state('');
  models = $state.raw<string[]>([]);
  maxTokens = $state(512);
  temperature = $state(0.7);
  rows = $state<DistilledRow[]>([]);
  asked = $state(0);
  error = $state<string | null>(null);
  private stopper = $state.raw<AbortController | null>(null);

  /** @param origin the server that this visit may ask */
  constructor(readonly origin: string) {}

  get busy(): boolean {
    return this.stopper !== null;
  }

  /** The prompts that are written: one a line, each once. */
  get questions(): string[] {
    const lines = this.prompts.split(/\r?\n/).map((line) => line.trim());
    return lines.filter((line, i) => line !== '' && lines.indexOf(line) === i);
  }

  get answered(): DistilledRow[] {
    return this.rows.filter(({ answer }) => answer.trim() !== '');
  }

  async listModels(): Promise<void> {
    await this.guard('asking for models', async (signal) => {
      this.models = await modelsOf(this.origin, signal);
      if (!this.models.includes(this.model)) this.model = this.models[0];
    });
  }

  /** Asks for the answers one after the other. @param system the recipe's system prompt */
  async fetchAnswers(system: string | null): Promise<void> {
    const { questions, model, maxTokens, temperature } = this;
    this.rows = [];
    this.asked = questions.length;
    await this.guard('asking for answers', async (signal) => {
      for (const prompt of questions) {
        const row: DistilledRow = { prompt, answer: '', failure: null };
        try {
          const question = { model, system, prompt, maxTokens, temperature };
          row.answer = await answerOf(this.origin, question, signal);
        } catch (error) {
          if (signal.aborted) return;
          row.failure = reported(error, 'asking for an answer');
          // Where the first fails, all will.
          if (this.rows.length === 0) throw error;
        }
        this.rows.push(row);
      }
    });
  }

  stop(): void {
    this.stopper?.abort();
  }

  /** @param place in `rows` */
  remove(place: number): void {
    this.rows = this.rows.filter((_, i) => i !== place);
  }

  /** The answered rows as a data file. */
  file(name = 'distilled.jsonl'): File {
    const lines = this.answered.map(
      ({ prompt, answer }) => `${JSON.stringify({ query: prompt, response: answer })}\n`,
    );
    return new File(lines, name, { type: 'application/x-ndjson' });
  }

  private async guard(where: string, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const stopper = new AbortController();
    this.stopper = stopper;
    this.error = null;
    try {
      await run(stopper.signal);
    } catch (error) {
      if (!stopper.signal.aborted) this.error = reported(error, where);
    } finally {
      this.stopper = null;
    }
  }
}
