/**
 * Scores answers by the recipe's functions, a person's own ones among them, in a thread that is ended where
 * one does not come back: it owns nothing that would be lost.
 */
import { scoreAnswer } from '../../training/scoring/scoreAnswer.ts';
import { serveWorker } from '../serveWorker.ts';
import type { ScoringApi } from './scoringProtocol.ts';

const api: ScoringApi = {
  load: async (functions) => {
    if (functions.some(({ type }) => type === 'code'))
      await (await import('../../training/scoring/ownFunction.ts')).callOwnFunction('() => 0', NOTHING);
  },
  score: async (made, answer) => {
    try {
      return { value: await scoreAnswer(made, answer) };
    } catch (error) {
      return { fault: error instanceof Error ? error.message : String(error) };
    }
  },
};
const NOTHING = { answer: '', reference: null, row: null };

serveWorker(api);
