/** The forms that an adapter can be handed out in, by the names that commands and page use. */
export const EXPORT_NAMES = ['gguf-lora', 'gguf', 'merged', 'mlx', 'cluster', 'player'] as const;
export type ExportName = (typeof EXPORT_NAMES)[number];
