/** Decides when a checkpoint of a run is due, and stores each step's once. */
import { report } from '../lib/errorLog.ts';
import { messageOf } from '../lib/errors.ts';
import { savesAt } from './recipe/pauses.ts';
import type { Recipe } from './recipe.ts';
import type { Checkpoint, TrainerEvent } from './runRecord.ts';

export interface CheckpointSaverOptions {
  recipe: Recipe;
  emit: (event: TrainerEvent) => void;
  /** May reject: the run goes on, and would not survive the tab. Absent: nothing is stored. */
  saveCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
}

/** A checkpoint is taken at least this often, so that a closed tab costs little. */
const SAVE_EVERY_MS = 60_000;

export class CheckpointSaver {
  /** The step of the newest checkpoint that is stored. */
  step: number | null = null;
  private at = 0;

  /** @param now milliseconds */
  constructor(
    private readonly options: CheckpointSaverOptions,
    private readonly now: () => number,
    /** Steps. */
    private readonly perEpoch: number,
  ) {}

  /** Records that a step's checkpoint is stored already. */
  stored(step: number): void {
    this.step = step;
    this.at = this.now();
  }

  isDue(step: number): boolean {
    const { recipe, saveCheckpoint } = this.options;
    if (!saveCheckpoint) return false;
    return savesAt(step, recipe, this.perEpoch) || this.now() - this.at >= SAVE_EVERY_MS;
  }

  /** Stores a checkpoint of a step once. One that does not fit does not end the run. */
  async save(step: number, make: () => Promise<Checkpoint>): Promise<void> {
    const { saveCheckpoint, emit } = this.options;
    if (!saveCheckpoint || this.step === step) return;
    const checkpoint = await make();
    this.at = this.now();
    try {
      await saveCheckpoint(checkpoint);
      this.step = step;
      emit({ type: 'checkpoint', step });
    } catch (error) {
      report(error, `storing the checkpoint of step ${step}`);
      emit({ type: 'checkpointFailed', step, message: messageOf(error) });
    }
  }
}
