/** The forms that an adapter can be handed out in, by the names that commands and page use. */
export const EXPORT_NAMES = ['gguf-lora', 'gguf', 'merged', 'mlx', 'cluster', 'player'] as const;
export type ExportName = (typeof EXPORT_NAMES)[number];

/** What each form is for, in the words of its button. */
export const EXPORT_LABELS: Readonly<Record<ExportName, string>> = {
  'gguf-lora': 'GGUF adapter for llama.cpp, Ollama and LM Studio',
  gguf: 'Merged model as GGUF',
  merged: 'Merged model as safetensors',
  mlx: 'Adapter for mlx-lm',
  cluster: 'Continue on a bigger machine (TRL)',
  player: 'Chat page for any host',
};
