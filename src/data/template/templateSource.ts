/** Where a tokenizer's files have their chat template. */
import { UserError } from '../../lib/errors.ts';

/**
 * A tokenizer's chat template: chat_template.jinja, else chat_template.json, else tokenizer_config.json's,
 * which is one text or a list of named ones of which "default" counts.
 * @param parse reads one of the files as JSON
 * @throws UserError where there is none
 */
export function templateSource(
  files: Readonly<Record<string, string | undefined>>,
  parse: (name: string) => Record<string, unknown>,
): string {
  if (files['chat_template.jinja'] !== undefined) return files['chat_template.jinja'];
  const found =
    files['chat_template.json'] === undefined ? undefined : parse('chat_template.json').chat_template;
  const template = found ?? parse('tokenizer_config.json').chat_template;
  if (typeof template === 'string') return template;
  if (Array.isArray(template)) {
    const named = template.filter(
      (one): one is { name?: unknown; template?: unknown } => typeof one === 'object' && one !== null,
    );
    const chosen = named.find(({ name }) => name === 'default');
    if (typeof chosen?.template === 'string') return chosen.template;
    throw new UserError(
      `The tokenizer's chat templates (${named.map(({ name }) => JSON.stringify(name)).join(', ')}) have none named "default". Put the one to use into a file chat_template.jinja beside the model's files and drop them again.`,
    );
  }
  throw new UserError(
    "The tokenizer has no chat template (chat_template in tokenizer_config.json, or a file chat_template.jinja). Use an instruct or chat model, or put the template to use into a file chat_template.jinja beside the model's files and drop them again.",
  );
}
