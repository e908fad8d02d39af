import type { ScoredAnswer, ScoringFunction } from '../../training/scoring/answerScorer.ts';

/** Served by scoring.worker. */
export interface ScoringApi {
  /** Loads what these functions need, so that their time is their own. */
  load(functions: readonly ScoringFunction[]): Promise<void>;
  score(made: ScoringFunction, answer: ScoredAnswer): Promise<{ value: number | null } | { fault: string }>;
}
