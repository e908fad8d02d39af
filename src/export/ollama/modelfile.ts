/** Ollama's Modelfile for an adapter or a merged model: the prompt and the stop tokens that were trained. */
import { UserError } from '../../lib/errors.ts';

export interface ModelfileOptions {
  /** What FROM names: a file beside the Modelfile, or a model that Ollama has. */
  from: string;
  /** A GGUF adapter beside the Modelfile. */
  adapter?: string;
  /** Of ollamaTemplate.ts. */
  template: string;
  /** Texts of all tokens that end an answer. */
  stops: readonly string[];
  /** The system prompt of the training; null: none. */
  system: string | null;
}

/** @throws UserError where a text cannot be written in a Modelfile */
export function modelfile({ from, adapter, template, stops, system }: ModelfileOptions): string {
  const lines = [
    `FROM ${from}`,
    ...(adapter === undefined ? [] : [`ADAPTER ${adapter}`]),
    `TEMPLATE ${quoted('the chat template', template)}`,
    ...stops.map((stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
    ...(system === null || system === '' ? [] : [`SYSTEM ${quoted('the system prompt', system)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Between three quotes nothing is escaped, so three quotes cannot be said. */
function quoted(what: string, text: string): string {
  if (text.includes('"""') || text.endsWith('"'))
    throw new UserError(
      `A Modelfile cannot hold ${what}, because it ${text.includes('"""') ? 'has three quotes in a row' : 'ends in a quote'}. Change it.`,
    );
  return `"""${text}"""`;
}
