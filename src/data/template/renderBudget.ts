/**
 * What a chat template may use: steps, time, and size of any text or list that it makes. A template is a
 * program that came with a model, and need not end by itself.
 */
import { UserError } from '../../lib/errors.ts';

/** A conversation of two thousand turns takes some fifty thousand steps. */
const STEPS = 500_000;
/** Against steps that are long; on a slow computer the steps end first. */
const TIME_MS = 5000;
const CHECK_TIME_EVERY = 1024;
/** UTF-16 code units of a text. */
const TEXT_LENGTH = 16_000_000;
const LIST_LENGTH = 1_000_000;
/** As jinja2's sandbox, in which transformers renders: a larger range raises there too. */
export const MAX_RANGE = 100_000;

/** A template that would not end, or would fill the memory: no row can be rendered by it. */
export class TemplateLimitError extends UserError {
  override name = 'TemplateLimitError';

  /** @param what it does */
  constructor(what: string) {
    super(
      `The model's chat template (chat_template.jinja or tokenizer_config.json) was stopped: it ${what}. It is damaged or was made to do harm: use the model's original files.`,
    );
  }
}

export class RenderBudget {
  private steps = 0;
  private readonly end = performance.now() + TIME_MS;

  /** @throws TemplateLimitError */
  spend(steps: number): void {
    const before = this.steps;
    this.steps += steps;
    if (this.steps > STEPS) throw new TemplateLimitError(`did not end within ${STEPS} steps`);
    if (
      Math.floor(before / CHECK_TIME_EVERY) !== Math.floor(this.steps / CHECK_TIME_EVERY) &&
      performance.now() > this.end
    )
      throw new TemplateLimitError(`did not end within ${TIME_MS / 1000} seconds`);
  }

  /** Of a loop: each turn makes a scope and binds its variables, also with nothing in it. */
  spendTurns(turns: number): void {
    this.spend(turns * 4);
  }

  /** Of a text that was, or will be, made. @throws TemplateLimitError */
  checkText(length: number): void {
    if (length > TEXT_LENGTH)
      throw new TemplateLimitError(`made a text of more than ${TEXT_LENGTH} characters`);
    // Copying is work as well.
    this.spend(length / 4096);
  }

  /** Of a text ahead of its split. @param separator a text; white space where none is given */
  checkSplit(text: string, separator: unknown): void {
    const at = typeof separator === 'string' ? separator : /\s+/;
    if (text.length > LIST_LENGTH && at !== '') this.checkList(text.split(at, LIST_LENGTH + 1).length);
  }

  /** Of a list that was, or will be, made. @throws TemplateLimitError */
  checkList(length: number): void {
    if (length > LIST_LENGTH) throw new TemplateLimitError(`made a list of more than ${LIST_LENGTH} items`);
    this.spend(length / 64);
  }
}

/** Of white space in a row, the sum of squares that @huggingface/jinja may look at. */
const WHITE_SPACE_WORK = 400_000_000;

const LONG_RUN = 256;

/**
 * A template's source without what would take its reader time that grows with the square of the length: white
 * space ahead of a tag that strips it is stripped here.
 * @throws TemplateLimitError where there is more white space elsewhere than any template has
 */
export function readableSource(source: string): string {
  let out = '';
  let from = 0;
  for (const { index } of source.matchAll(/\{[%{#]-/g)) {
    const before = source.slice(from, index);
    const stripped = before.trimEnd();
    // A short run may stand in a quoted text, where nothing is stripped.
    out += before.length - stripped.length < LONG_RUN ? before : stripped;
    from = index;
  }
  out += source.slice(from);
  let work = 0;
  for (const [{ length }] of out.matchAll(/\s{64,}/g)) work += length * length;
  if (work > WHITE_SPACE_WORK)
    throw new TemplateLimitError('holds more white space in a row than any template');
  return out;
}
