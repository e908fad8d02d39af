/** The forms that an adapter can be handed out in, by the names that commands and page use. */
import { ChatTokenizer, filesOfModel } from '../data/tokenizer/chatTokenizer.ts';
import type { ReadAdapter } from '../formats/peft.ts';
import type { WeightSource } from '../formats/tensors.ts';
import { wholeFile, type ExportFile } from './exportFile.ts';
import { loraGguf } from './gguf/loraGguf.ts';
import { ollamaFiles } from './ollama/ollamaFiles.ts';
import { mergedModelFiles } from './mergedModel.ts';
import { mergeDeltas } from './mergeAdapter.ts';
import { mlxAdapterFiles } from './mlxAdapter.ts';

export const EXPORT_NAMES = ['gguf-lora', 'merged', 'mlx'] as const;
export type ExportName = (typeof EXPORT_NAMES)[number];

export interface ExportInput {
  adapter: ReadAdapter;
  base: WeightSource;
  /** Texts of the base's tokenizer files, by name. */
  texts: Readonly<Record<string, string>>;
  /** What the result calls itself. */
  name: string;
  /** Of merged weights. */
  dtype: 'BF16' | 'F16';
}

/**
 * Each gives its files; nothing large is computed before their pieces are asked for.
 * @throws UserError where the form cannot hold the adapter
 */
export const exportForms: Readonly<Record<ExportName, (input: ExportInput) => ExportFile[]>> = {
  'gguf-lora': ({ adapter, base: { config }, texts, name }) => [
    wholeFile(
      'adapter.gguf',
      loraGguf(
        adapter.tensors,
        adapter.settings,
        {
          model_type: String(config.model_type),
          num_attention_heads: config.num_attention_heads as number,
          num_key_value_heads: (config.num_key_value_heads ?? config.num_attention_heads) as number,
        },
        name,
      ),
    ),
    ...ollamaFiles({
      tokenizer: tokenizerOf(texts, config),
      from: './base.gguf',
      adapter: './adapter.gguf',
      system: null,
      commands: ['llama-cli -m base.gguf --lora adapter.gguf --jinja -cnv'],
    }),
  ],
  merged: ({ adapter, base, texts, name, dtype }) =>
    mergedModelFiles({
      base,
      deltas: mergeDeltas(adapter.tensors, adapter.settings, base.tensors),
      dtype,
      texts,
      card: mergedCard(name, adapter),
    }),
  mlx: ({ adapter, base: { config } }) =>
    mlxAdapterFiles(adapter.tensors, adapter.settings, config.num_hidden_layers as number),
};

/** null where the base model's folder holds no tokenizer: its prompts are then unknown. */
function tokenizerOf(
  texts: Readonly<Record<string, string>>,
  config: Readonly<Record<string, unknown>>,
): ChatTokenizer | null {
  return texts['tokenizer.json'] === undefined ? null : new ChatTokenizer(filesOfModel({ config, texts }));
}

function mergedCard(name: string, { settings }: ReadAdapter): string {
  const base = settings.base_model_name_or_path;
  const made =
    `${base ?? 'A base model'} with the LoRA adapter ${name} merged into its weights ` +
    `(r ${settings.r}, alpha ${settings.lora_alpha}), over the weights of the files at hand.`;
  return `${base ? `---\nbase_model: ${base}\n---\n\n` : ''}# ${name}

${made}
`;
}
