/** Questions that were asked in the playground: this browser keeps them, to ask the next adapter too. */
import { keepSetting, keptSetting } from '../keptSettings.ts';

const KEY = 'finetab.prompts';
const MOST = 10;
/** Longer questions are not kept. */
const LONGEST = 500;

export class KeptPrompts {
  /** The last first. */
  all = $state.raw<readonly string[]>(read());

  add(question: string): void {
    if (question.length > LONGEST) return;
    this.store([question, ...this.all.filter((other) => other !== question)].slice(0, MOST));
  }

  remove(question: string): void {
    this.store(this.all.filter((other) => other !== question));
  }

  private store(all: readonly string[]): void {
    this.all = all;
    keepSetting(KEY, all.length === 0 ? null : JSON.stringify(all));
  }
}

function read(): string[] {
  try {
    const kept: unknown = JSON.parse(keptSetting(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    // Written by another version: nothing is kept then.
    return [];
  }
}
