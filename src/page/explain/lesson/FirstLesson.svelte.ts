/** The guided first lesson with the demo: which of its steps is shown, and what each points at. */
import type { Messages } from '../../language/messages.svelte.ts';
import type { PlaceId } from '../../layout/places.ts';

export interface LessonStep {
  id: keyof Messages['lesson']['steps'];
  place: PlaceId;
  /** Finds what the step is about, in the page as it is. */
  target: string;
}

export const LESSON: readonly LessonStep[] = [
  { id: 'start', place: 'model', target: '[data-lesson="demo"]' },
  { id: 'mask', place: 'data', target: '[data-lesson="mask"]' },
  { id: 'curves', place: 'run', target: '[data-lesson="curves"]' },
  { id: 'answers', place: 'run', target: '[data-lesson="answers"]' },
  { id: 'chat', place: 'result', target: '[data-lesson="chat"]' },
  { id: 'own', place: 'model', target: '[data-lesson="own"]' },
];

export class FirstLesson {
  /** Index of the step that is shown; null where the lesson is not. */
  at = $state<number | null>(null);

  get step(): LessonStep | null {
    return this.at === null ? null : LESSON[this.at];
  }

  start(): void {
    this.at = 0;
  }

  /** Past the last step the lesson ends. */
  move(by: 1 | -1): void {
    if (this.at === null) return;
    const to = this.at + by;
    if (to >= LESSON.length) this.end();
    else this.at = Math.max(0, to);
  }

  end(): void {
    this.at = null;
  }
}

export const lesson = new FirstLesson();
