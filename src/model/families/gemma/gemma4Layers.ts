/** Sizes of Gemma 4's layers, which differ: wider heads of full layers, shared keys, a wider MLP. */
import type { ConfigReader } from '../../config.ts';
import { layerKinds, type DecoderConfig } from '../../decoderConfig.ts';

export type LayerKind = 'sliding_attention' | 'full_attention';

/** One layer's own sizes. */
export interface LayerShape {
  kind: LayerKind;
  headDim: number;
  keyHeads: number;
  intermediate: number;
  /** The layer whose keys and values it reads, where it makes none. */
  sharedFrom: number | null;
}

type PerLayer = Record<string, { head_dim?: number; num_key_value_heads?: number } | undefined>;

/** @throws UserError where a layer shares keys that no layer before it makes */
export function readLayers(read: ConfigReader, decoder: DecoderConfig): LayerShape[] {
  const { json } = read;
  const count = decoder.num_hidden_layers;
  const kinds = layerKinds<LayerKind>(read, count, ['sliding_attention', 'full_attention'], (i) =>
    (i + 1) % 6 === 0 ? 'full_attention' : 'sliding_attention',
  );
  kinds[count - 1] = 'full_attention';
  const sharing = read.number('num_kv_shared_layers', 0);
  const first = count - sharing;
  const doubles = read.boolean('use_double_wide_mlp', false);
  const perLayer = json.per_layer_config as PerLayer | undefined;
  const globalHeads =
    json.attention_k_eq_v === true ? (json.num_global_key_value_heads as number | undefined) : undefined;
  return kinds.map((kind, i) => {
    const full = kind === 'full_attention';
    const own = perLayer
      ? (perLayer[String(i)] ?? {})
      : full
        ? { head_dim: read.integer('global_head_dim', 512), num_key_value_heads: globalHeads ?? undefined }
        : {};
    const sharedFrom = i < first ? null : kinds.slice(0, first).lastIndexOf(kind);
    if (sharedFrom === -1)
      read.fail(`layer ${i} shares the keys of a ${kind} layer before it, but there is none`);
    return {
      kind,
      headDim: own.head_dim ?? decoder.head_dim,
      keyHeads: own.num_key_value_heads ?? decoder.num_key_value_heads,
      intermediate: decoder.intermediate_size * (doubles && sharedFrom !== null ? 2 : 1),
      sharedFrom,
    };
  });
}
