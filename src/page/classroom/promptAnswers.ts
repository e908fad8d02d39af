import { CLASS_LIMITS, type ClassAnswer, type ClassPrompt } from '../../lib/classroom/protocol.ts';
import type { Result } from '../result/Result.svelte.ts';

/** The tuned model's answers to the teacher's prompts, each a conversation of its own. */
export async function promptAnswers(
  result: Pick<Result, 'chat'>,
  prompts: readonly ClassPrompt[],
): Promise<ClassAnswer[]> {
  const texts = await result.chat.answersTo(prompts.map(({ text }) => text));
  return prompts.map(({ id }, i) => ({
    prompt: id,
    text: [...texts[i]].slice(0, CLASS_LIMITS.answerCharacters / 2).join(''),
  }));
}
