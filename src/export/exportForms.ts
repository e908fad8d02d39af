/** What each form of exportNames.ts is made of. */
import { filesOfModel, type ChatTokenizer } from '../data/tokenizer/chatTokenizer.ts';
import type { ReadAdapter } from '../formats/peft.ts';
import type { GgufSource } from '../formats/sourceCheckpoint.ts';
import type { WeightSource } from '../formats/tensors.ts';
import { modelOf } from '../model/families/registry.ts';
import { wholeFile, type ExportFile } from './exportFile.ts';
import type { ExportName } from './exportNames.ts';
import type { ExportedConfig } from './gguf/configKeys.ts';
import { exportedTokenizerTexts } from './exportedTokenizer.ts';
import { loraGguf } from './gguf/loraGguf.ts';
import { modelGguf } from './gguf/modelGguf.ts';
import type { GgufFileType } from './gguf/tensorEncoding.ts';
import { modelTokenizer } from './gguf/modelTokenizer.ts';
import { ollamaFiles } from './ollama/ollamaFiles.ts';
import { clusterFiles, type ClusterParts } from './cluster/clusterFiles.ts';
import { mergedModelFiles } from './mergedModel.ts';
import { mergeDeltas } from './mergeAdapter.ts';
import { mlxAdapterFiles } from './mlxAdapter.ts';
import { playerFiles, type PlayerParts } from './player/playerFiles.ts';
import { UserError } from '../lib/errors.ts';

export interface ExportInput {
  adapter: ReadAdapter;
  base: WeightSource;
  /** Of a base that was read from a GGUF. */
  ggufSource?: GgufSource;
  /** Which weights the base's are: "the weights of the files at hand", or the dequantised ones of the run. */
  baseWeights: string;
  /** Texts of the base's tokenizer files, by name. */
  texts: Readonly<Record<string, string>>;
  /** What the result calls itself. */
  name: string;
  /** Of merged safetensors. */
  dtype: 'BF16' | 'F16';
  /** Of the tensors of a merged GGUF. */
  ggufType: GgufFileType;
  /** The system prompt of the training; null: none or unknown. */
  system: string | null;
  /** Of the form of this name only. */
  player?: PlayerParts;
  cluster?: ClusterParts;
}

/**
 * Each gives its files; no weight is computed before their pieces are asked for.
 * @throws UserError where the form cannot hold the adapter
 */
export const exportForms: Readonly<Record<ExportName, (input: ExportInput) => Promise<ExportFile[]>>> = {
  async 'gguf-lora'({ adapter, base: { config }, texts, name, system }) {
    const parsed = modelOf(config).config as ExportedConfig;
    return [
      wholeFile('adapter.gguf', loraGguf(adapter.tensors, adapter.settings, parsed, name)),
      ...ollamaFiles({
        tokenizer: chatTokenizerOf(texts, config),
        from: './base.gguf',
        adapter: './adapter.gguf',
        system,
        commands: ['llama-cli -m base.gguf --lora adapter.gguf --jinja -cnv'],
      }),
    ];
  },
  async gguf({ adapter, base, ggufSource, texts, name, ggufType, system, baseWeights }) {
    const deltas = mergeDeltas(adapter.tensors, adapter.settings, base.tensors);
    const file = await modelGguf({ base, deltas, texts, name, fileType: ggufType, ggufSource });
    return [
      ...ollamaFiles({
        tokenizer: chatTokenizerOf(texts, base.config),
        from: './model.gguf',
        system,
        commands: ['llama-cli -m model.gguf --jinja -cnv'],
        notes: [`${ggufType}, merged over ${baseWeights}.`, ...file.notes],
      }),
      file,
    ];
  },
  async merged({ adapter, base, texts, name, dtype, baseWeights }) {
    return mergedModelFiles({
      base,
      deltas: mergeDeltas(adapter.tensors, adapter.settings, base.tensors),
      dtype,
      texts: exportedTokenizerTexts(texts),
      card: mergedCard(name, adapter, baseWeights),
    });
  },
  async mlx({ adapter, base: { config } }) {
    return mlxAdapterFiles(adapter.tensors, adapter.settings, modelOf(config).config.num_hidden_layers);
  },
  async cluster({ adapter, cluster, texts, base: { config } }) {
    if (!cluster) throw new Error('nothing of the run was given to the cluster form');
    return clusterFiles({ adapter, cluster, texts, tokenizer: chatTokenizerOf(texts, config) });
  },
  async player({ player, ...input }) {
    if (!player) throw new Error('no player was given to its form');
    if (!chatTokenizerOf(input.texts, input.base.config))
      throw new UserError(
        'This model has no tokenizer or no chat template, so that nobody can chat with it. Export the merged model instead.',
      );
    return playerFiles({ ...input, player });
  },
};

/** null where the base model has no tokenizer or no chat template: its prompts are then unknown. */
function chatTokenizerOf(
  texts: Readonly<Record<string, string>>,
  config: Readonly<Record<string, unknown>>,
): ChatTokenizer | null {
  return modelTokenizer(filesOfModel({ config, texts }))?.chat ?? null;
}

function mergedCard(name: string, { settings }: ReadAdapter, baseWeights: string): string {
  const base = settings.base_model_name_or_path;
  const made =
    `${base ?? 'A base model'} with the LoRA adapter ${name} merged into its weights ` +
    `(r ${settings.r}, alpha ${settings.lora_alpha}), over ${baseWeights}.`;
  return `${base ? `---\nbase_model: ${base}\n---\n\n` : ''}# ${name}

${made}
`;
}
