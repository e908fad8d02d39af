/** Loss token by token of one row, by the base model and by the tuned one. */
import type { RowToken } from '../../worker/dataset/datasetProtocol.ts';
import type { DataFile } from '../data/DataFile.svelte.ts';
import type { ResultWorkers } from './resultWorkers.ts';
import { reported } from '../errors/reported.ts';

export interface HeatToken extends RowToken {
  /** Cross entropy in nats; NaN for the first token, which nothing predicts. */
  base: number;
  tuned: number;
}

export class HeatMap {
  file = $state.raw<DataFile | null>(null);
  /** 0-based. */
  row = $state(0);
  tokens = $state.raw<HeatToken[]>([]);
  busy = $state(false);
  error = $state<string | null>(null);
  private generation = 0;

  constructor(
    private readonly runId: string,
    private readonly workers: ResultWorkers,
  ) {}

  /** Mean over the tokens that are learned from. */
  get means(): { base: number; tuned: number } | null {
    const supervised = this.tokens.filter((token) => token.supervised && !Number.isNaN(token.base));
    if (supervised.length === 0) return null;
    const mean = (of: (token: HeatToken) => number) =>
      supervised.reduce((sum, token) => sum + of(token), 0) / supervised.length;
    return { base: mean(({ base }) => base), tuned: mean(({ tuned }) => tuned) };
  }

  async show(file: DataFile, row: number): Promise<void> {
    const mine = ++this.generation;
    this.file = file;
    this.row = Math.max(0, Math.min(row, (file.report?.summary.rows ?? 1) - 1));
    this.busy = true;
    this.error = null;
    try {
      const tokens = await file.rowTokens(this.row);
      const ids = tokens.map(({ id }) => id);
      const { base, tuned } = await this.workers.trainer.ask((api) => api.tokenLosses(this.runId, ids, 1));
      if (mine === this.generation)
        this.tokens = tokens.map((token, i) => ({ ...token, base: base[i], tuned: tuned[i] }));
    } catch (error) {
      const message = reported(error, 'scoring a row token by token');
      if (mine === this.generation) this.error = message;
    }
    if (mine === this.generation) this.busy = false;
  }
}
