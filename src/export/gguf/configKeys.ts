/**
 * A model's configuration as the metadata of a GGUF file: the keys that llama.cpp's converter writes
 * (convert_hf_to_gguf.py, set_gguf_parameters), the inverse of formats/gguf/ggufConfig.ts.
 */
import type { GgufArchitecture } from '../../formats/ggufNames.ts';
import type { GgufValue } from '../../formats/ggufWriter.ts';
import { UserError } from '../../lib/errors.ts';
import { largest } from '../../lib/extremes.ts';
import type { DecoderConfig } from '../../model/decoderConfig.ts';
import { rotatedDim, type RopeSettings } from '../../model/ropeConfig.ts';
import { inverseFrequencies } from '../../model/ropeTable.ts';

/** A parsed configuration with the fields of the families that have a GGUF form. */
export interface ExportedConfig extends DecoderConfig {
  rope?: RopeSettings;
  /** Of the layers within a window, and of those that see all, where the two differ. */
  localRope?: RopeSettings;
  globalRope?: RopeSettings;
  windows?: readonly number[];
  sliding_window?: number | null;
  attn_logit_softcapping?: number;
  embedding_multiplier?: number;
  attention_multiplier?: number;
  residual_multiplier?: number;
  logits_scaling?: number;
  layer_types?: readonly string[];
  conv_L_cache?: number;
}

export interface ConfigKeys {
  keys: Map<string, GgufValue>;
  /** Tensors that are settings, float32 vectors by their names in the file. */
  settings: Map<string, Float32Array>;
}

/** @throws UserError naming a setting that the architecture's files cannot hold */
export function configKeys(config: ExportedConfig, architecture: GgufArchitecture): ConfigKeys {
  const keys = new Map<string, GgufValue>();
  const settings = new Map<string, Float32Array>();
  const uint = (key: string, value: number) =>
    keys.set(`${architecture.name}.${key}`, { type: 'uint32', value });
  const float = (key: string, value: number) =>
    keys.set(`${architecture.name}.${key}`, { type: 'float32', value });
  const text = (key: string, value: string) =>
    keys.set(`${architecture.name}.${key}`, { type: 'string', value });

  uint('block_count', config.num_hidden_layers);
  uint('context_length', config.max_position_embeddings);
  uint('embedding_length', config.hidden_size);
  uint('feed_forward_length', config.intermediate_size);
  uint('attention.head_count', config.num_attention_heads);
  headCounts(config, architecture, keys);
  uint('attention.key_length', config.head_dim);
  uint('attention.value_length', config.head_dim);
  float('attention.layer_norm_rms_epsilon', config.rms_norm_eps);
  uint('vocab_size', config.vocab_size);

  const rope = config.globalRope ?? config.rope;
  if (!rope) throw new UserError(`A ${config.model_type} model has no rotary settings that GGUF files hold.`);
  uint('rope.dimension_count', rotatedDim(rope, config.head_dim));
  ropeKeys(config, rope, { architecture, uint, float, text, settings });
  if (config.localRope && architecture.name === 'gemma3')
    float('rope.freq_base_swa', config.localRope.rope_theta);

  const window = config.sliding_window ?? largest(config.windows ?? [], 0);
  if (window > 0) uint('attention.sliding_window', window);
  switch (architecture.name) {
    case 'gemma2':
      if (!config.attn_logit_softcapping || !config.final_logit_softcapping)
        throw new UserError(
          'config.json switches a soft cap of Gemma 2 off, which llama.cpp cannot do. Export the merged ' +
            'safetensors instead.',
        );
      float('attn_logit_softcapping', config.attn_logit_softcapping);
      float('final_logit_softcapping', config.final_logit_softcapping);
      break;
    case 'granite':
      float('embedding_scale', config.embedding_multiplier!);
      float('attention.scale', config.attention_multiplier!);
      float('residual_scale', config.residual_multiplier!);
      float('logit_scale', config.logits_scaling!);
      break;
    case 'lfm2':
      uint('shortconv.l_cache', config.conv_L_cache!);
      break;
  }
  return { keys, settings };
}

/** One number, or one a layer, 0 for a layer without attention. */
function headCounts(config: ExportedConfig, { name }: GgufArchitecture, keys: ConfigKeys['keys']): void {
  const key = `${name}.attention.head_count_kv`;
  const { layer_types, num_key_value_heads: count } = config;
  if (name === 'lfm2' && layer_types)
    keys.set(key, {
      type: 'array',
      of: 'int32',
      value: layer_types.map((kind) => (kind === 'conv' ? 0 : count)),
    });
  else keys.set(key, { type: 'uint32', value: count });
}

interface RopeSink {
  architecture: GgufArchitecture;
  uint(key: string, value: number): unknown;
  float(key: string, value: number): unknown;
  text(key: string, value: string): unknown;
  settings: Map<string, Float32Array>;
}

function ropeKeys(config: ExportedConfig, rope: RopeSettings, to: RopeSink): void {
  const { scaling, rope_theta } = rope;
  const dim = rotatedDim(rope, config.head_dim);
  to.float(
    'rope.freq_base',
    scaling.rope_type === 'ntk_alpha' ? rope_theta * scaling.alpha ** (dim / (dim - 2)) : rope_theta,
  );
  switch (scaling.rope_type) {
    case 'default':
    case 'ntk_alpha':
      return;
    case 'linear':
      to.text('rope.scaling.type', 'linear');
      to.float('rope.scaling.factor', scaling.factor);
      return;
    case 'yarn':
      to.text('rope.scaling.type', 'yarn');
      to.float('rope.scaling.factor', scaling.factor);
      to.uint('rope.scaling.original_context_length', scaling.original_max_position_embeddings);
      to.float('rope.scaling.yarn_beta_fast', scaling.beta_fast);
      to.float('rope.scaling.yarn_beta_slow', scaling.beta_slow);
      return;
    case 'llama3': {
      const plain = inverseFrequencies({ ...rope, scaling: { rope_type: 'default' } }, dim);
      const scaled = inverseFrequencies(rope, dim);
      to.settings.set(
        'rope_freqs.weight',
        plain.map((frequency, i) => frequency / scaled[i]),
      );
      return;
    }
    case 'longrope': {
      const { long_factor, short_factor, attention_factor } = scaling;
      const same = long_factor.every((factor, i) => factor === short_factor[i]);
      if (same && attention_factor === 1 && to.architecture.name !== 'phi3') {
        to.settings.set('rope_freqs.weight', Float32Array.from(long_factor));
        return;
      }
      to.settings.set('rope_factors_long.weight', Float32Array.from(long_factor));
      to.settings.set('rope_factors_short.weight', Float32Array.from(short_factor));
      to.text('rope.scaling.type', 'longrope');
      to.uint('rope.scaling.original_context_length', scaling.original_max_position_embeddings);
      to.float('rope.scaling.attn_factor', attention_factor);
      return;
    }
    case 'proportional':
      throw new UserError('config.json: rope_type "proportional" has no form in GGUF files.');
  }
}
