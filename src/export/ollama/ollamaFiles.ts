/** What goes beside a GGUF file so that Ollama and llama.cpp prompt and stop as the training did. */
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import { DEFAULT_DATE_STRING } from '../../data/template/chatTemplate.ts';
import { UserError } from '../../lib/errors.ts';
import { wholeFile, type ExportFile } from '../exportFile.ts';
import { modelfile } from './modelfile.ts';
import { ollamaTemplate, promptSegments } from './ollamaTemplate.ts';

export interface OllamaFilesOptions {
  /** null: the base model's folder holds none. */
  tokenizer: ChatTokenizer | null;
  /** What FROM names. */
  from: string;
  /** The GGUF adapter's file name, where it is one. */
  adapter?: string;
  /** The system prompt of the training; null: none or unknown. */
  system: string | null;
  /** The commands of the README, one a line. */
  commands: readonly string[];
  /** What a person must know beside, each a paragraph of the README. */
  notes?: readonly string[];
}

/**
 * Modelfile and README.md. Where no template of Ollama gives the prompts that were trained there is no
 * Modelfile, and the README says why.
 */
export function ollamaFiles({
  tokenizer,
  from,
  adapter,
  system,
  commands,
  notes = [],
}: OllamaFilesOptions): ExportFile[] {
  const readme = (lines: readonly string[], more: readonly string[]) =>
    wholeFile(
      'README.md',
      lines.map((line) => `    ${line}\n`).join('') + more.map((note) => `\n${note}\n`).join(''),
    );
  if (tokenizer === null)
    return [
      readme(commands, [
        'There is no Modelfile: the base model has no tokenizer with a chat template, so its prompts are unknown.',
        ...notes,
      ]),
    ];
  const render = (messages: Parameters<ChatTokenizer['render']>[0], addGenerationPrompt: boolean) =>
    tokenizer.render(messages, { addGenerationPrompt, dateString: DEFAULT_DATE_STRING });
  let made: string;
  try {
    made = modelfile({
      from,
      ...(adapter !== undefined && { adapter }),
      template: ollamaTemplate(promptSegments(render), textAddedAhead(tokenizer)),
      stops: tokenizer.stopTokenIds.map((id) => tokenizer.tokenText(id)),
      system,
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [readme(commands, [`There is no Modelfile: ${error.message}`, ...notes])];
  }
  return [
    wholeFile('Modelfile', made),
    readme(
      [
        `ollama create tuned -f Modelfile && ollama run tuned${adapter === undefined ? '' : '   # after FROM names the base model'}`,
        ...commands,
      ],
      notes,
    ),
  ];
}

/**
 * The token that runtimes put before every prompt by themselves, as the tokenizer does; '' where there is
 * none.
 */
function textAddedAhead(tokenizer: ChatTokenizer): string {
  const { bosToken } = tokenizer;
  if (bosToken === null) return '';
  return tokenizer.encodeText('a')[0] === tokenizer.idOf(bosToken) ? bosToken : '';
}
