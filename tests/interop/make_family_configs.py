"""What transformers makes of config.json files: writes family_configs.json, which tests/unit/families.test.ts holds src/model to.

Run:  python make_family_configs.py     (torch, transformers; no network, no weights: models are built on the meta device)

Each entry: `config` as a hub repository has it (released models in the form they were published in, and sparse ones that lean on defaults), `resolved`
what transformers reads from it, `tensors` the parameters of the first layer and outside the layers, `count` of all parameters.
"""
import json, os
import torch, transformers
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

CONFIGS = {
    "Llama-3.2-1B": dict(model_type="llama", attention_bias=False, hidden_act="silu", head_dim=64, hidden_size=2048, intermediate_size=8192, max_position_embeddings=131072, mlp_bias=False,
        num_attention_heads=32, num_hidden_layers=16, num_key_value_heads=8, rms_norm_eps=1e-05, rope_scaling=dict(factor=32.0, high_freq_factor=4.0, low_freq_factor=1.0,
        original_max_position_embeddings=8192, rope_type="llama3"), rope_theta=500000.0, tie_word_embeddings=True, vocab_size=128256),
    "TinyLlama-1.1B": dict(model_type="llama", hidden_act="silu", hidden_size=2048, intermediate_size=5632, max_position_embeddings=2048, num_attention_heads=32, num_hidden_layers=22,
        num_key_value_heads=4, rms_norm_eps=1e-05, rope_scaling=None, rope_theta=10000.0, tie_word_embeddings=False, vocab_size=32000),
    "SmolLM2-135M": dict(model_type="llama", hidden_act="silu", hidden_size=576, intermediate_size=1536, max_position_embeddings=8192, mlp_bias=False, num_attention_heads=9,
        num_hidden_layers=30, num_key_value_heads=3, rms_norm_eps=1e-05, rope_interleaved=False, rope_scaling=None, rope_theta=100000, tie_word_embeddings=True, vocab_size=49152),
    "llama, linear": dict(model_type="llama", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99, rope_scaling=dict(type="linear", factor=4.0)),
    "llama, sparse": dict(model_type="llama", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99),
    "llama, yarn": dict(model_type="llama", hidden_size=128, intermediate_size=96, num_attention_heads=2, num_hidden_layers=2, vocab_size=99, max_position_embeddings=8192,
        rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=2048)),
    "Qwen2.5-0.5B": dict(model_type="qwen2", hidden_act="silu", hidden_size=896, intermediate_size=4864, max_position_embeddings=32768, max_window_layers=21, num_attention_heads=14,
        num_hidden_layers=24, num_key_value_heads=2, rms_norm_eps=1e-06, rope_theta=1000000.0, sliding_window=32768, tie_word_embeddings=True, use_sliding_window=False, vocab_size=151936),
    "qwen2, windows": dict(model_type="qwen2", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=4, num_key_value_heads=2, vocab_size=99, use_sliding_window=True, max_window_layers=2),
    "qwen2, yarn": dict(model_type="qwen2", hidden_size=256, intermediate_size=96, num_attention_heads=2, num_hidden_layers=1, num_key_value_heads=2, vocab_size=99, rope_theta=1000000.0,
        rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=32768)),
    "Qwen3-0.6B": dict(model_type="qwen3", attention_bias=False, head_dim=128, hidden_act="silu", hidden_size=1024, intermediate_size=3072, max_position_embeddings=40960, max_window_layers=28,
        num_attention_heads=16, num_hidden_layers=28, num_key_value_heads=8, rms_norm_eps=1e-06, rope_scaling=None, rope_theta=1000000, sliding_window=None, tie_word_embeddings=True,
        use_sliding_window=False, vocab_size=151936),
    "qwen3, sparse": dict(model_type="qwen3", hidden_size=64, intermediate_size=96, num_attention_heads=32, num_hidden_layers=2, vocab_size=99),
    "Mistral-7B-v0.1": dict(model_type="mistral", hidden_act="silu", hidden_size=4096, intermediate_size=14336, max_position_embeddings=32768, num_attention_heads=32, num_hidden_layers=32,
        num_key_value_heads=8, rms_norm_eps=1e-05, rope_theta=10000.0, sliding_window=4096, tie_word_embeddings=False, vocab_size=32000),
    "Mistral-7B-v0.3": dict(model_type="mistral", head_dim=128, hidden_act="silu", hidden_size=4096, intermediate_size=14336, max_position_embeddings=32768, num_attention_heads=32,
        num_hidden_layers=32, num_key_value_heads=8, rms_norm_eps=1e-05, rope_theta=1000000.0, sliding_window=None, tie_word_embeddings=False, vocab_size=32768),
    "mistral, sparse": dict(model_type="mistral", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=2, vocab_size=99),
    "gemma-2-2b-it": dict(model_type="gemma2", attention_bias=False, attn_logit_softcapping=50.0, cache_implementation="hybrid", final_logit_softcapping=30.0, head_dim=256,
        hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", hidden_size=2304, intermediate_size=9216, max_position_embeddings=8192, num_attention_heads=8,
        num_hidden_layers=26, num_key_value_heads=4, query_pre_attn_scalar=256, rms_norm_eps=1e-06, rope_theta=10000.0, sliding_window=4096, vocab_size=256000),
    "gemma2, sparse": dict(model_type="gemma2", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=3, vocab_size=99),
    "gemma2, no caps": dict(model_type="gemma2", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=3, vocab_size=99, attn_logit_softcapping=None, final_logit_softcapping=None),
    "gemma-3-1b-it": dict(model_type="gemma3_text", attention_bias=False, attn_logit_softcapping=None, cache_implementation="hybrid", final_logit_softcapping=None, head_dim=256,
        hidden_activation="gelu_pytorch_tanh", hidden_size=1152, intermediate_size=6912, max_position_embeddings=32768, num_attention_heads=4, num_hidden_layers=26, num_key_value_heads=1,
        query_pre_attn_scalar=256, rms_norm_eps=1e-06, rope_local_base_freq=10000, rope_scaling=None, rope_theta=1000000, sliding_window=512, sliding_window_pattern=6, vocab_size=262144),
    "gemma3_text, linear": dict(model_type="gemma3_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=8, vocab_size=99, rope_scaling=dict(rope_type="linear", factor=8.0)),
    "gemma3_text, nested": dict(model_type="gemma3_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=4, vocab_size=99, sliding_window=7,
        layer_types=["full_attention", "sliding_attention"] * 2, rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=5e5), sliding_attention=dict(rope_type="default", rope_theta=2e4))),
    "Phi-3-mini-4k": dict(model_type="phi3", attention_bias=False, hidden_act="silu", hidden_size=3072, intermediate_size=8192, max_position_embeddings=4096, num_attention_heads=32,
        num_hidden_layers=32, num_key_value_heads=32, original_max_position_embeddings=4096, rms_norm_eps=1e-05, rope_scaling=None, rope_theta=10000.0, sliding_window=2047,
        tie_word_embeddings=False, vocab_size=32064),
    "phi3, longrope": dict(model_type="phi3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99, pad_token_id=0, max_position_embeddings=131072,
        original_max_position_embeddings=4096, rope_scaling=dict(type="longrope", short_factor=[1.0, 1.02, 1.1, 1.5, 2.0, 2.5, 3.0, 3.1], long_factor=[1.1, 1.3, 2.0, 5.0, 11.0, 22.0, 44.0, 64.5])),
    "phi3, su": dict(model_type="phi3", hidden_size=48, intermediate_size=96, num_attention_heads=4, num_hidden_layers=1, vocab_size=99, pad_token_id=0, max_position_embeddings=131072,
        original_max_position_embeddings=4096, rope_theta=10000.0, sliding_window=262144, rope_scaling=dict(type="su", original_max_position_embeddings=4096, short_factor=[1.05] * 6, long_factor=[1.0, 1.5, 2.5, 9.0, 30.0, 60.0])),
    "phi3, partial": dict(model_type="phi3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, num_key_value_heads=2, vocab_size=99, pad_token_id=0, max_position_embeddings=131072,
        original_max_position_embeddings=4096, partial_rotary_factor=0.75, tie_word_embeddings=True, rope_scaling=dict(type="longrope", short_factor=[1.0] * 6, long_factor=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
    "SmolLM3-3B": dict(model_type="smollm3", attention_bias=False, hidden_act="silu", hidden_size=2048, intermediate_size=11008, max_position_embeddings=65536, max_window_layers=28, mlp_bias=False,
        no_rope_layer_interval=4, no_rope_layers=[1, 1, 1, 0] * 9, num_attention_heads=16, num_hidden_layers=36, num_key_value_heads=4, pretraining_tp=2, rms_norm_eps=1e-06, rope_scaling=None,
        rope_theta=5000000.0, sliding_window=None, use_sliding_window=False, vocab_size=128256, layer_types=["full_attention"] * 36),
    "Qwen3.5-0.8B": dict(model_type="qwen3_5_text", attention_bias=False, full_attention_interval=4, head_dim=256, hidden_act="silu", hidden_size=1024, intermediate_size=3584, linear_conv_kernel_dim=4,
        linear_key_head_dim=128, linear_num_key_heads=16, linear_num_value_heads=16, linear_value_head_dim=128, max_position_embeddings=262144, mlp_only_layers=[], num_attention_heads=8, num_hidden_layers=24,
        num_key_value_heads=2, rms_norm_eps=1e-06, tie_word_embeddings=True, vocab_size=248320, layer_types=(["linear_attention"] * 3 + ["full_attention"]) * 6,
        rope_parameters=dict(mrope_interleaved=True, mrope_section=[11, 11, 10], rope_type="default", rope_theta=10000000, partial_rotary_factor=0.25)),
    "qwen3_5_text, sparse": dict(model_type="qwen3_5_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=5, vocab_size=99),
    "qwen3_5_text, full first": dict(model_type="qwen3_5_text", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, head_dim=16, num_hidden_layers=2, vocab_size=99, attention_bias=True,
        linear_key_head_dim=6, linear_value_head_dim=10, linear_num_key_heads=2, linear_num_value_heads=6, linear_conv_kernel_dim=3, layer_types=["full_attention", "linear_attention"]),
    "gemma4_text, sparse": dict(model_type="gemma4_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=7, vocab_size=99, vocab_size_per_layer_input=99),
    "gemma4_text, shared": dict(model_type="gemma4_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_key_value_heads=2, head_dim=16, global_head_dim=32, num_hidden_layers=6, vocab_size=99,
        vocab_size_per_layer_input=99, hidden_size_per_layer_input=8, num_kv_shared_layers=3, use_double_wide_mlp=True, sliding_window=9, final_logit_softcapping=30.0,
        layer_types=["sliding_attention", "full_attention"] * 3),
    "gemma4_text, keys as values": dict(model_type="gemma4_text", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_key_value_heads=4, head_dim=16, global_head_dim=32, num_hidden_layers=4, vocab_size=99,
        hidden_size_per_layer_input=0, attention_k_eq_v=True, num_global_key_value_heads=2, layer_types=["full_attention", "sliding_attention"] * 2),
    "granite-3.3-2b-instruct": dict(model_type="granite", attention_bias=False, attention_multiplier=0.015625, embedding_multiplier=12.0, hidden_act="silu", hidden_size=2048, intermediate_size=8192,
        logits_scaling=8.0, max_position_embeddings=131072, mlp_bias=False, num_attention_heads=32, num_hidden_layers=40, num_key_value_heads=8, residual_multiplier=0.22, rms_norm_eps=1e-05,
        rope_scaling=None, rope_theta=10000000.0, tie_word_embeddings=True, vocab_size=49159),
    "granite, sparse": dict(model_type="granite", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99, pad_token_id=0, mlp_bias=True),
    "OLMo-2-0425-1B": dict(model_type="olmo2", attention_bias=False, hidden_act="silu", hidden_size=2048, intermediate_size=8192, max_position_embeddings=4096, num_attention_heads=16, num_hidden_layers=16,
        num_key_value_heads=16, rms_norm_eps=1e-06, rope_scaling=None, rope_theta=500000, tie_word_embeddings=False, vocab_size=100352),
    "olmo2, sparse": dict(model_type="olmo2", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, vocab_size=99, attention_bias=True),
    "Olmo-3-7B": dict(model_type="olmo3", attention_bias=False, hidden_act="silu", hidden_size=4096, intermediate_size=11008, max_position_embeddings=65536, num_attention_heads=32, num_hidden_layers=32,
        num_key_value_heads=32, rms_norm_eps=1e-06, rope_theta=500000, sliding_window=4096, layer_types=(["sliding_attention"] * 3 + ["full_attention"]) * 8, tie_word_embeddings=False, vocab_size=100278,
        rope_scaling=dict(attention_factor=1.2079441541679836, beta_fast=32.0, beta_slow=1.0, factor=8.0, original_max_position_embeddings=8192, rope_type="yarn")),
    "olmo3, sparse": dict(model_type="olmo3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=6, vocab_size=99, pad_token_id=0),
    "EXAONE-4.0-1.2B": dict(model_type="exaone4", head_dim=64, hidden_act="silu", hidden_size=2048, intermediate_size=4096, max_position_embeddings=65536, num_attention_heads=32, num_hidden_layers=30,
        num_key_value_heads=8, rms_norm_eps=1e-05, rope_scaling=dict(factor=16.0, high_freq_factor=4.0, low_freq_factor=1.0, original_max_position_embeddings=8192, rope_type="llama3"), rope_theta=1000000,
        sliding_window=None, sliding_window_pattern=None, layer_types=["full_attention"] * 30, tie_word_embeddings=True, vocab_size=102400),
    "exaone4, sparse": dict(model_type="exaone4", hidden_size=64, intermediate_size=96, num_attention_heads=32, num_hidden_layers=6, vocab_size=99, pad_token_id=0, sliding_window=5),
    "ERNIE-4.5-0.3B": dict(model_type="ernie4_5", head_dim=128, hidden_act="silu", hidden_size=1024, intermediate_size=3072, max_position_embeddings=131072, num_attention_heads=16, num_hidden_layers=18,
        num_key_value_heads=2, rms_norm_eps=1e-05, rope_scaling=None, rope_theta=500000.0, tie_word_embeddings=True, use_bias=False, vocab_size=103424),
    "ernie4_5, biases": dict(model_type="ernie4_5", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99, pad_token_id=0, use_bias=True),
    "Hunyuan-0.5B": dict(model_type="hunyuan_v1_dense", attention_bias=False, head_dim=128, hidden_act="silu", hidden_size=1024, intermediate_size=3584, max_position_embeddings=262144, num_attention_heads=16,
        num_hidden_layers=24, num_key_value_heads=8, rms_norm_eps=1e-05, rope_scaling=dict(alpha=1000.0, beta_fast=32, beta_slow=1, factor=1.0, mscale=1.0, mscale_all_dim=1.0, type="dynamic"), rope_theta=10000.0,
        tie_word_embeddings=True, vocab_size=120818),
    "Ministral-3-3B": dict(model_type="ministral3", head_dim=128, hidden_act="silu", hidden_size=3072, intermediate_size=9216, max_position_embeddings=262144, num_attention_heads=32, num_hidden_layers=26,
        num_key_value_heads=8, rms_norm_eps=1e-05, sliding_window=None, tie_word_embeddings=True, vocab_size=131072, rope_parameters=dict(beta_fast=32.0, beta_slow=1.0, factor=16.0, llama_4_scaling_beta=0.1,
        mscale=1.0, mscale_all_dim=1.0, original_max_position_embeddings=16384, rope_theta=1000000.0, rope_type="yarn", type="yarn")),
    "ministral3, sparse": dict(model_type="ministral3", hidden_size=64, intermediate_size=96, num_attention_heads=8, num_hidden_layers=2, vocab_size=99, pad_token_id=0),
    "nanochat-d20": dict(model_type="nanochat", hidden_act="relu2", hidden_size=1280, intermediate_size=5120, max_position_embeddings=2048, num_attention_heads=10, num_hidden_layers=20, num_key_value_heads=10,
        rms_norm_eps=1e-06, final_logit_softcapping=15.0, rope_theta=10000.0, tie_word_embeddings=False, vocab_size=65536),
    "nanochat, sparse": dict(model_type="nanochat", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=2, vocab_size=99, pad_token_id=0),
    "LFM2-1.2B": dict(model_type="lfm2", block_auto_adjust_ff_dim=True, block_dim=2048, block_ff_dim=12288, block_ffn_dim_multiplier=1.0, block_multiple_of=256, conv_L_cache=3, conv_bias=False,
        full_attn_idxs=[2, 5, 8, 10, 12, 14], hidden_size=2048, max_position_embeddings=128000, norm_eps=1e-05, num_attention_heads=32, num_hidden_layers=16, num_key_value_heads=8, rope_theta=1000000.0,
        tie_embedding=True, vocab_size=65536),
    "lfm2, conv first": dict(model_type="lfm2", hidden_size=64, intermediate_size=100, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, vocab_size=99, block_multiple_of=8,
        block_ffn_dim_multiplier=1.3, conv_bias=True, tie_word_embeddings=False, layer_types=["conv", "full_attention"]),
    "lfm3, sparse": dict(model_type="lfm3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=6, vocab_size=99, pad_token_id=0),
    "lfm3, plain": dict(model_type="lfm3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, vocab_size=99, pad_token_id=0, use_sandwich_norm=False, use_attention_gate=False,
        attention_bias=True, head_dim=16, sliding_window=5, layer_types=["sliding_attention", "full_attention"]),
    "smollm3, sparse": dict(model_type="smollm3", hidden_size=64, intermediate_size=96, num_attention_heads=4, num_hidden_layers=5, vocab_size=99, pad_token_id=0, use_sliding_window=True, sliding_window=9),
}


def rope_of(config, key=None, long=False):
    if config.model_type == "gemma4_text": config = config.per_layer_config[key]
    parameters = config.rope_parameters[key] if key else config.rope_parameters
    kind = parameters["rope_type"]
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if kind == "dynamic" and parameters.get("alpha"):  # as modeling_hunyuan_v1_dense.py has it
        dim = config.head_dim
        base = parameters["rope_theta"] * parameters["alpha"] ** (dim / (dim - 2))
        return dict(inverse=(1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.float) / dim))).tolist(), attention=1.0)
    if kind == "default":
        dim = int(head_dim * (parameters.get("partial_rotary_factor") or 1.0))
        return dict(inverse=(1.0 / (parameters["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float) / dim))).tolist(), attention=1.0)
    more = dict(seq_len=parameters["original_max_position_embeddings"] + 1) if long else {}
    inverse, attention = ROPE_INIT_FUNCTIONS[kind](config, **more, **(dict(layer_type=key) if key else {}))
    return dict(inverse=inverse.tolist(), attention=float(attention))


def resolve(config):
    if config.model_type == "gemma4_text": config.allow_global_per_layer_attribute_access = True
    layers = config.num_hidden_layers
    window = getattr(config, "sliding_window", None)
    types = getattr(config, "layer_types", None) or (["sliding_attention" if window is not None and config.model_type in ("mistral", "phi3") else "full_attention"] * layers)
    nested = config.model_type in ("gemma3_text", "olmo3", "lfm3", "gemma4_text")
    scale = getattr(config, "query_pre_attn_scalar", None)
    resolved = dict(
        heads=config.num_attention_heads, key_heads=config.num_key_value_heads, head_dim=config.per_layer_config["sliding_attention"].head_dim if config.model_type == "gemma4_text" else getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        max_position_embeddings=config.max_position_embeddings, rms_norm_eps=config.norm_eps if config.model_type == "lfm2" else config.rms_norm_eps, tie_word_embeddings=config.tie_word_embeddings,
        windows=[window if kind == "sliding_attention" else 0 for kind in types[:layers]],
        final_logit_softcapping=getattr(config, "final_logit_softcapping", None) or 0,
        rope=rope_of(config, "full_attention" if nested else None),
    )
    if nested: resolved["local_rope"] = rope_of(config, "sliding_attention")
    if not nested and config.rope_parameters["rope_type"] == "longrope": resolved["long_rope"] = rope_of(config, long=True)
    if scale is not None: resolved["query_pre_attn_scalar"] = scale
    if config.model_type == "gemma2": resolved["attn_logit_softcapping"] = config.attn_logit_softcapping or 0
    for key in ("embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling", "conv_L_cache"):
        if hasattr(config, key): resolved[key] = getattr(config, key)
    if config.model_type == "exaone4": resolved["rotates"] = [window is None or kind == "sliding_attention" for kind in types[:layers]]
    if config.model_type == "smollm3": resolved["rotates"] = [bool(x) for x in config.no_rope_layers[:layers]]
    return resolved


cases = {}
for name, raw in CONFIGS.items():
    config = AutoConfig.for_model(**json.loads(json.dumps(raw)))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    parameters = {k: list(p.shape) for k, p in [*model.named_parameters(), *model.named_buffers()] if not k.startswith("model.rotary_emb") and not k.endswith("embed_scale")}
    if not config.tie_word_embeddings: assert "lm_head.weight" in parameters
    cases[name] = dict(config=raw, resolved=resolve(config), count=len(parameters),
        tensors={k: s for k, s in sorted(parameters.items()) if ".layers." not in k or ".layers.0." in k})
    print(name, len(parameters), flush=True)
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "family_configs.json")
with open(out, "w") as file:
    file.write('{"transformers": %s, "cases": {\n' % json.dumps(transformers.__version__))
    file.write(",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()) + "\n}}\n")
