/** The class: who is there, how far each is, answers, matches and votes. All of it in memory, all bounded. */
import { randomBytes, randomInt } from 'node:crypto';
import {
  CLASS_LIMITS,
  type BoardMatch,
  type BoardState,
  type BoardStudent,
  type Choice,
  type ClassAnswer,
  type ClassPrompt,
  type Joined,
  type Progress,
  type StudentNews,
} from '../../src/lib/classroom/protocol.ts';

/** What was asked for cannot be: the status and the sentence of the answer. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Student {
  id: number;
  name: string;
  token: string;
  seenAt: number;
  left: boolean;
  progress: Progress;
  answers: Map<number, string>;
  adapterBytes: number | null;
}

interface Match {
  id: number;
  prompt: ClassPrompt;
  a: Student;
  b: Student;
  /** The answers as they were when the match began. */
  texts: { a: string; b: string };
  votes: Map<Student, Choice>;
  closed: boolean;
}

const NOTHING: Progress = { state: 'ready', step: 0, totalSteps: 0, loss: null, evaluations: {} };

export class ClassSession {
  private readonly students = new Map<string, Student>();
  private prompts: ClassPrompt[] = [];
  private match: Match | null = null;
  private readonly record = new Map<string, { wins: number; losses: number; ties: number }>();
  private ids = 0;
  blend = 0;

  constructor(
    private readonly title: string,
    /** Of the page, as the board shows it. */
    public address: string,
    readonly code: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** @param before token of the same page before it was reloaded */
  join(name: string, before = ''): Joined {
    const known = this.students.get(before);
    if (known && sameName(known.name, name)) {
      known.left = false;
      known.seenAt = this.now();
      return { token: known.token, name: known.name };
    }
    for (const other of this.students.values())
      if (sameName(other.name, name))
        throw new Refusal(
          409,
          `The name ${other.name} is taken in this class. Add a letter of your surname. If that is you in another tab or after a restart, ask the teacher to remove the first.`,
        );
    if (this.students.size >= CLASS_LIMITS.students)
      throw new Refusal(429, `This class is full: it has ${CLASS_LIMITS.students} students.`);
    const student: Student = {
      id: ++this.ids,
      name,
      token: randomBytes(24).toString('base64url'),
      seenAt: this.now(),
      left: false,
      progress: NOTHING,
      answers: new Map(),
      adapterBytes: null,
    };
    this.students.set(student.token, student);
    return { token: student.token, name };
  }

  /** @throws Refusal where the token is not, or no longer, one of this class */
  private student(token: string): Student {
    const student = this.students.get(token);
    if (!student) throw new Refusal(401, 'This page is not in the class any more. Join again.');
    student.seenAt = this.now();
    student.left = false;
    return student;
  }

  /** @returns the student's id, under which the adapter is kept */
  idOf(token: string): number {
    return this.student(token).id;
  }

  leave(token: string): void {
    this.student(token).left = true;
  }

  progress(token: string, progress: Progress): void {
    this.student(token).progress = progress;
  }

  answer(token: string, answers: readonly ClassAnswer[]): void {
    const student = this.student(token);
    // A prompt that the teacher took back meanwhile is dropped.
    for (const { prompt, text } of answers)
      if (this.prompts.some(({ id }) => id === prompt)) student.answers.set(prompt, text);
  }

  adapterKept(token: string, bytes: number): void {
    this.student(token).adapterBytes = bytes;
  }

  vote(token: string, matchId: number, choice: Choice): void {
    const student = this.student(token);
    const { match } = this;
    if (!match || match.closed || match.id !== matchId)
      throw new Refusal(409, 'This match is over: the votes are counted.');
    if (match.votes.has(student)) throw new Refusal(409, 'You have voted in this match already.');
    match.votes.set(student, choice);
  }

  news(token: string): StudentNews {
    const student = this.student(token);
    const { match } = this;
    const open = match && !match.closed ? match : null;
    return {
      prompts: this.prompts,
      match: open && {
        id: open.id,
        prompt: open.prompt.text,
        ...open.texts,
        vote: open.votes.get(student) ?? null,
      },
      blend: this.blend,
    };
  }

  /** Prompts whose text stays keep their id and their answers. */
  setPrompts(texts: readonly string[]): void {
    this.prompts = [...new Set(texts)].map(
      (text) => this.prompts.find((prompt) => prompt.text === text) ?? { id: ++this.ids, text },
    );
    const kept = new Set(this.prompts.map(({ id }) => id));
    for (const { answers } of this.students.values())
      for (const id of answers.keys()) if (!kept.has(id)) answers.delete(id);
  }

  /** @param first @param second ids of two students; which of them is A is drawn by lot */
  beginMatch(promptId: number, first: number, second: number): void {
    const prompt = this.prompts.find(({ id }) => id === promptId);
    const pair = [first, second].map((id) => [...this.students.values()].find((other) => other.id === id));
    const [one, two] = pair;
    if (!prompt || !one || !two || one === two)
      throw new Refusal(400, 'A match needs one of the prompts and two students.');
    if (!one.answers.has(promptId) || !two.answers.has(promptId))
      throw new Refusal(409, 'Both have to have answered this prompt.');
    const [a, b] = randomInt(2) === 0 ? [one, two] : [two, one];
    const texts = { a: a.answers.get(promptId)!, b: b.answers.get(promptId)! };
    this.match = { id: ++this.ids, prompt, a, b, texts, votes: new Map(), closed: false };
  }

  closeMatch(): void {
    const { match } = this;
    if (!match || match.closed) return;
    match.closed = true;
    const { a, b } = tallyOf(match);
    for (const [student, own, other] of [
      [match.a, a, b],
      [match.b, b, a],
    ] as const) {
      const so = this.record.get(student.name) ?? { wins: 0, losses: 0, ties: 0 };
      if (own > other) so.wins++;
      else if (own < other) so.losses++;
      else so.ties++;
      this.record.set(student.name, so);
    }
  }

  /** @returns whether there was one */
  remove(id: number): boolean {
    const found = [...this.students.values()].find((student) => student.id === id);
    return found !== undefined && this.students.delete(found.token);
  }

  board(): BoardState {
    return {
      title: this.title,
      address: this.address,
      code: this.code,
      students: [...this.students.values()].map((student) => this.onBoard(student)),
      prompts: this.prompts,
      match: this.match && boardMatch(this.match),
      wins: [...this.record].map(([name, so]) => ({ name, ...so })).sort((x, y) => y.wins - x.wins),
      blend: this.blend,
    };
  }

  private onBoard({ id, name, left, seenAt, progress, answers, adapterBytes }: Student): BoardStudent {
    const isAway = this.now() - seenAt > CLASS_LIMITS.awayMs;
    return {
      id,
      name,
      ...progress,
      state: left ? 'left' : isAway ? 'away' : progress.state,
      answers: [...answers].map(([prompt, text]) => ({ prompt, text })),
      adapterBytes,
    };
  }
}

function tallyOf({ votes }: Match): Record<Choice, number> {
  const tally = { a: 0, b: 0, tie: 0 };
  for (const choice of votes.values()) tally[choice]++;
  return tally;
}

function boardMatch(match: Match): BoardMatch {
  const { id, prompt, texts, closed, a, b } = match;
  return {
    id,
    prompt: prompt.text,
    ...texts,
    tally: tallyOf(match),
    names: closed ? { a: a.name, b: b.name } : null,
  };
}

function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.normalize('NFKC').trim().toLocaleLowerCase();
  return plain(a) === plain(b);
}
