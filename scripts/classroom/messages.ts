/** What students and the board may send, checked before anything of it is kept. */
import * as v from 'valibot';
import { CLASS_LIMITS as L } from '../../src/lib/classroom/protocol.ts';

const finite = v.pipe(v.number(), v.finite());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e9));
/**
 * One line that can be shown: without control characters and characters that change the direction of text.
 */
const line = (most: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1),
    v.maxLength(most),
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    v.regex(/^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+$/u),
  );
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

export const Join = v.strictObject({
  code: v.pipe(v.string(), v.maxLength(20)),
  name: line(L.nameCharacters),
});

export const Progress = v.strictObject({
  state: v.picklist(['ready', 'training', 'done']),
  step: whole,
  totalSteps: whole,
  loss: v.nullable(finite),
  evaluations: v.pipe(
    v.record(line(64), finite),
    v.check((losses) => Object.keys(losses).length <= L.evaluations, 'too many validation files'),
  ),
});

export const Answers = v.strictObject({
  answers: v.pipe(
    v.array(v.strictObject({ prompt: whole, text: text(L.answerCharacters) })),
    v.maxLength(L.prompts),
  ),
});

export const Vote = v.strictObject({ match: whole, choice: v.picklist(['a', 'b', 'tie']) });

export const Prompts = v.strictObject({
  prompts: v.pipe(
    v.array(v.pipe(text(L.promptCharacters), v.trim(), v.minLength(1))),
    v.maxLength(L.prompts),
  ),
});

export const NewMatch = v.strictObject({ prompt: whole, a: whole, b: whole });

export const Removal = v.strictObject({ id: whole });
