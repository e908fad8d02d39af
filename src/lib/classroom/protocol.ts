/**
 * What the pages of a class and the teacher's server say to one another, as JSON over HTTPS. Paths are
 * relative to the page. A student's requests carry the token of `join` as a bearer token, the board's carry
 * its secret.
 */

/** What everybody stays within; the server refuses what does not. */
export const CLASS_LIMITS = {
  students: 64,
  nameCharacters: 40,
  prompts: 8,
  promptCharacters: 500,
  answerCharacters: 4000,
  evaluations: 16,
  jsonBytes: 65_536,
  adapterBytes: 64 * 2 ** 20,
  /** A page that says nothing for so long is shown as away. */
  awayMs: 20_000,
} as const;

/** How often a page asks for news. */
export const ASK_EVERY_MS = 3000;

export interface JoinRequest {
  code: string;
  name: string;
}

export interface Joined {
  token: string;
  name: string;
}

export type StudentState = 'ready' | 'training' | 'done';

/** How far a student's run is. */
export interface Progress {
  state: StudentState;
  step: number;
  totalSteps: number;
  /** Of the training rows; null where none is known yet. */
  loss: number | null;
  /** Last loss of each validation file. */
  evaluations: Record<string, number>;
}

/** A question of the teacher to all models of the class. */
export interface ClassPrompt {
  id: number;
  text: string;
}

export interface ClassAnswer {
  prompt: number;
  text: string;
}

export type Choice = 'a' | 'b' | 'tie';

/** Two answers whose authors nobody sees. */
export interface BlindMatch {
  id: number;
  prompt: string;
  a: string;
  b: string;
}

/** What a student's page is given when it asks for news. */
export interface StudentNews {
  prompts: ClassPrompt[];
  match: (BlindMatch & { vote: Choice | null }) | null;
  /** Grows with every blended adapter that the teacher hands out; 0: none. */
  blend: number;
}

export interface BoardStudent {
  id: number;
  name: string;
  state: StudentState | 'away' | 'left';
  step: number;
  totalSteps: number;
  loss: number | null;
  evaluations: Record<string, number>;
  answers: ClassAnswer[];
  /** Of the adapter that was sent; null where none was. */
  adapterBytes: number | null;
}

export type Tally = Record<Choice, number>;

export interface BoardMatch extends BlindMatch {
  tally: Tally;
  /** Of the two students; shown once the match is closed. */
  names: { a: string; b: string } | null;
}

/** What the board shows. */
export interface BoardState {
  title: string;
  address: string;
  code: string;
  students: BoardStudent[];
  prompts: ClassPrompt[];
  match: BoardMatch | null;
  /** Closed matches: who won how often. */
  wins: { name: string; wins: number; losses: number; ties: number }[];
  blend: number;
}
