"""Writes golden folders as GGUF by the gguf package, as llama.cpp's converters do (conversion/*.py), for `npm run reference`.

    python tests/interop/gguf_families.py GOLDEN OUT [FAMILY ...]     writes OUT/<family>/model.gguf, batch.json
    npm run reference -- OUT/<family> RESULT/<family>
    python tests/interop/gguf_families.py --compare GOLDEN RESULT [FAMILY ...]

The names are those of the package's own tensor map; what each converter changes in the weights and writes as metadata is restated here. Tensors are
F32, so that our reader must give back the checkpoint's values to the bit (norms stored plus one: to 1e-6) and the engine PyTorch's logits.
    python tests/interop/gguf_families.py --fixture tests/fixtures/gguf

writes the small files that tests/unit/gguf.test.ts reads; qwen3_5's linear layers there are Q8_0.
Needs gguf, numpy, torch, safetensors.
"""

import json
import math
import re
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import load_file

ARCHITECTURES = {
    "llama3_2": "LLAMA", "llama_untied": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3", "gemma2": "GEMMA2", "gemma3": "GEMMA3", "phi3": "PHI3",
    "phi4_mini": "PHI3", "smollm3": "SMOLLM3", "granite": "GRANITE", "olmo2": "OLMO2", "olmo3": "OLMO2", "exaone4": "EXAONE4", "ernie4_5": "ERNIE4_5",
    "hunyuan_v1_dense": "HUNYUAN_DENSE", "lfm2": "LFM2", "ministral3": "MISTRAL3", "qwen3_5": "QWEN35", "gemma4": "GEMMA4",
}
BOUNDS = {"qwen3_5": 1e-4, "gemma4": 5e-5}
PERMUTED = {"LLAMA", "SMOLLM3", "GRANITE", "MISTRAL3"}


def permute(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def reorder_heads(w, dim, keys, per_key, size):
    """_LinearAttentionVReorderBase._reorder_v_heads."""
    shape = list(w.shape)
    split = w.reshape(*shape[:dim], keys, per_key, size, *shape[dim + 1:])
    return split.transpose(dim, dim + 1).contiguous().reshape(shape)


def converted(name, w, c, arch):
    """The tensors that a checkpoint's tensor becomes: [(name, values)]."""
    if arch in PERMUTED and re.search(r"self_attn\.([qk])_proj\.", name):
        w = permute(w, c["num_attention_heads"] if ".q_proj." in name else c["num_key_value_heads"])
    if arch in ("GEMMA2", "GEMMA3") and name.endswith("norm.weight"):
        w = w + 1
    if arch == "QWEN35":
        keys, values = c["linear_num_key_heads"], c["linear_num_value_heads"]
        kd, vd, per = c["linear_key_head_dim"], c["linear_value_head_dim"], values // keys
        if "linear_attn." in name and keys != values:
            if ".in_proj_qkv." in name or ".conv1d" in name:
                w = w.squeeze(1) if w.dim() == 3 else w
                first = 2 * kd * keys
                w = torch.cat([w[:first], reorder_heads(w[first:], 0, keys, per, vd)])
            elif ".in_proj_z." in name:
                w = reorder_heads(w, 0, keys, per, vd)
            elif re.search(r"in_proj_[ab]\.|A_log|dt_bias", name):
                w = reorder_heads(w, 0, keys, per, 1)
            elif ".out_proj." in name:
                w = reorder_heads(w, 1, keys, per, vd)
        if name.endswith(".A_log"):
            w = -torch.exp(w)
        elif name.endswith(".dt_bias"):
            name = name.replace(".dt_bias", ".dt_proj.bias")
        elif "conv1d" in name:
            w = w.squeeze()
        elif name.endswith("norm.weight") and not name.endswith("linear_attn.norm.weight"):
            w = w + 1
    if arch == "GEMMA4" and name.endswith("layer_scalar"):
        name += ".weight"
    if arch == "LFM2" and "conv.conv" in name:
        w = w.squeeze(1)
    return name, w


def write_settings(w, c, arch, tensors):
    """Metadata, as the converters' set_gguf_parameters writes them. @returns further tensors"""
    layers, heads, kv = c["num_hidden_layers"], c["num_attention_heads"], c["num_key_value_heads"]
    rope = c.get("rope_parameters") or {}
    full = rope.get("full_attention", rope)
    head_dim = c.get("head_dim") or c["hidden_size"] // heads
    extra = {}
    w.add_block_count(layers)
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_head_count(heads)
    w.add_layer_norm_rms_eps(c.get("rms_norm_eps", c.get("norm_eps")))
    w.add_rope_freq_base(full["rope_theta"])
    if arch not in ("GEMMA4", "LFM2"):
        w.add_head_count_kv(kv)
        w.add_key_length(head_dim)
        w.add_value_length(head_dim)
    if arch not in ("GEMMA4",):
        width = next(t for n, t in tensors.items() if re.search(r"(w1|gate_proj|gate_up_proj)\.weight", n)).shape[0]
        w.add_feed_forward_length(width // 2 if arch == "PHI3" else width)
    kind = full.get("rope_type", "default")
    if kind == "yarn":
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        w.add_rope_scaling_factor(full["factor"])
        w.add_rope_scaling_orig_ctx_len(full["original_max_position_embeddings"])
        w.add_rope_scaling_yarn_beta_fast(full["beta_fast"])
        w.add_rope_scaling_yarn_beta_slow(full["beta_slow"])
    if kind == "llama3":
        dim = head_dim
        freqs = 1.0 / (full["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim))
        low, high, old = full["low_freq_factor"], full["high_freq_factor"], full["original_max_position_embeddings"]
        factors = []
        for freq in freqs:
            wave = 2 * math.pi / freq
            smooth = (old / wave - low) / (high - low)
            factors.append(1.0 if wave < old / high else full["factor"] if wave > old / low else 1 / ((1 - smooth) / full["factor"] + smooth))
        extra["rope_freqs.weight"] = torch.tensor([float(f) for f in factors])
    if kind == "dynamic":  # HunYuan: the base is scaled once (conversion/hunyuan.py)
        w.add_rope_freq_base(full["rope_theta"] * full["alpha"] ** (head_dim / (head_dim - 2)))
    if kind == "longrope":
        w.add_rope_scaling_orig_ctx_len(full["original_max_position_embeddings"])
        scale = c["max_position_embeddings"] / full["original_max_position_embeddings"]
        w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(full["original_max_position_embeddings"])))
        extra["rope_factors_long.weight"] = torch.tensor(full["long_factor"])
        extra["rope_factors_short.weight"] = torch.tensor(full["short_factor"])
    if arch in ("PHI3", "QWEN35"):
        w.add_rope_dimension_count(int(head_dim * full.get("partial_rotary_factor", 1.0)))
    window = c.get("sliding_window")
    if window and arch in ("GEMMA2", "GEMMA3", "OLMO2", "EXAONE4", "PHI3"):
        w.add_sliding_window(window)
    if arch == "GEMMA2":
        w.add_attn_logit_softcapping(c["attn_logit_softcapping"])
        w.add_final_logit_softcapping(c["final_logit_softcapping"])
    if arch == "GEMMA3":
        w.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
    if arch == "GRANITE":
        w.add_attention_scale(c["attention_multiplier"])
        w.add_embedding_scale(c["embedding_multiplier"])
        w.add_residual_scale(c["residual_multiplier"])
        w.add_logit_scale(c["logits_scaling"])
    if arch == "LFM2":
        w.add_shortconv_l_cache(c["conv_L_cache"])
        w.add_head_count_kv([kv if t == "full_attention" else 0 for t in c["layer_types"]])
    if arch == "MISTRAL3":
        w.add_rope_scaling_yarn_log_mul(full["mscale_all_dim"])
        w.add_attn_temperature_scale(full["llama_4_scaling_beta"])
    if arch == "QWEN35":
        w.add_ssm_conv_kernel(c["linear_conv_kernel_dim"])
        w.add_ssm_state_size(c["linear_key_head_dim"])
        w.add_ssm_group_count(c["linear_num_key_heads"])
        w.add_ssm_time_step_rank(c["linear_num_value_heads"])
        w.add_ssm_inner_size(c["linear_value_head_dim"] * c["linear_num_value_heads"])
        w.add_full_attention_interval(c.get("full_attention_interval", 4))
        w.add_rope_dimension_sections([11, 11, 10, 0])
    if arch == "GEMMA4":
        w.add_head_count_kv(kv)
        w.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
        w.add_final_logit_softcapping(c["final_logit_softcapping"])
        w.add_sliding_window(window)
        w.add_shared_kv_layers(c["num_kv_shared_layers"])
        w.add_embedding_length_per_layer_input(c["hidden_size_per_layer_input"])
        w.add_sliding_window_pattern([t == "sliding_attention" for t in c["layer_types"]])
        own = list((c.get("per_layer_config") or {}).values())
        full_dim = own[0]["head_dim"] if own else c["global_head_dim"]
        w.add_key_length(full_dim)
        w.add_value_length(full_dim)
        w.add_key_length_swa(c["head_dim"])
        w.add_value_length_swa(c["head_dim"])
        first = layers - c["num_kv_shared_layers"]
        w.add_feed_forward_length([c["intermediate_size"] * (1 if i < first or not c["use_double_wide_mlp"] else 2) for i in range(layers)])
        w.add_rope_dimension_count(full_dim)
        w.add_rope_dimension_count_swa(c["head_dim"])
        rotated = int(full_dim * full["partial_rotary_factor"] / 2)
        extra["rope_freqs.weight"] = torch.tensor([1.0] * rotated + [1e30] * (full_dim // 2 - rotated))
    return extra


def write(folder, out, arch):
    c = json.loads((folder / "config.json").read_text())
    out.mkdir(parents=True, exist_ok=True)
    write_model(c, {n: t.float() for n, t in load_file(folder / "model.safetensors").items()}, out / "model.gguf", arch)
    (out / "batch.json").write_text((folder / "batch.json").read_text())


def write_model(c, tensors, path, arch, quantised=False):
    kind = gguf.MODEL_ARCH[arch]
    names = gguf.get_tensor_name_map(kind, c["num_hidden_layers"])
    w = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[kind])
    w.add_tokenizer_model("no_vocab")
    extra = write_settings(w, c, arch, tensors)
    for name, values in tensors.items():
        if name == "lm_head.weight" and c.get("tie_word_embeddings"):
            continue
        name, values = converted(name, values, c, arch)
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert stored, f"{arch} has no name for {name}"
        extra[stored] = values
    for name, values in extra.items():
        data = np.ascontiguousarray(values.float().numpy())
        if quantised and data.ndim == 2 and data.shape[1] % 32 == 0 and "embd" not in name and "conv" not in name:
            q = gguf.GGMLQuantizationType.Q8_0
            w.add_tensor(name, gguf.quants.quantize(data, q), raw_dtype=q)
        else:
            w.add_tensor(name, data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


SMALL = dict(vocab_size=16, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=True, num_attention_heads=2, num_key_value_heads=1)
FIXTURES = {
    "qwen3_5": dict(SMALL, hidden_size=32, intermediate_size=32, num_hidden_layers=2, head_dim=16, layer_types=["linear_attention", "full_attention"],
        linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=32, linear_conv_kernel_dim=4,
        rope_parameters=dict(rope_theta=1e7, partial_rotary_factor=0.25)),
    "gemma4": dict(SMALL, hidden_size=16, intermediate_size=8, num_hidden_layers=3, head_dim=4, global_head_dim=8, sliding_window=5, num_kv_shared_layers=1,
        use_double_wide_mlp=True, hidden_size_per_layer_input=4, final_logit_softcapping=30.0,
        layer_types=["sliding_attention", "full_attention", "full_attention"],
        rope_parameters=dict(full_attention=dict(rope_type="proportional", rope_theta=1e6, partial_rotary_factor=0.5), sliding_attention=dict(rope_theta=1e4))),
    "ministral3": dict(SMALL, hidden_size=16, intermediate_size=24, num_hidden_layers=1, head_dim=8,
        rope_parameters=dict(rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=32, beta_fast=32.0, beta_slow=1.0,
            mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.25)),
}


def fixture_shapes(family, c):
    h, inter, heads, kv = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"], c["num_key_value_heads"]
    shapes = {"model.embed_tokens.weight": [c["vocab_size"], h], "model.norm.weight": [h]}
    if family == "gemma4":
        ple, layers = c["hidden_size_per_layer_input"], c["num_hidden_layers"]
        shapes |= {"model.embed_tokens_per_layer.weight": [c["vocab_size"], layers * ple], "model.per_layer_model_projection.weight": [layers * ple, h],
            "model.per_layer_projection_norm.weight": [ple]}
    for i, kind in enumerate(c.get("layer_types", ["full_attention"] * c["num_hidden_layers"])):
        p, a = f"model.layers.{i}", f"model.layers.{i}.self_attn"
        shared = i >= c["num_hidden_layers"] - c.get("num_kv_shared_layers", 0)
        width = inter * (2 if shared and c.get("use_double_wide_mlp") else 1)
        dim = c.get("global_head_dim", c["head_dim"]) if kind == "full_attention" else c["head_dim"]
        shapes |= {f"{p}.input_layernorm.weight": [h], f"{p}.post_attention_layernorm.weight": [h], f"{p}.mlp.gate_proj.weight": [width, h],
            f"{p}.mlp.up_proj.weight": [width, h], f"{p}.mlp.down_proj.weight": [h, width]}
        if kind == "linear_attention":
            keys, values, kd, vd = (c[f"linear_{k}"] for k in ("num_key_heads", "num_value_heads", "key_head_dim", "value_head_dim"))
            mixed, n = 2 * keys * kd + values * vd, f"{p}.linear_attn"
            shapes |= {f"{n}.in_proj_qkv.weight": [mixed, h], f"{n}.in_proj_z.weight": [values * vd, h], f"{n}.in_proj_a.weight": [values, h],
                f"{n}.in_proj_b.weight": [values, h], f"{n}.conv1d.weight": [mixed, 1, c["linear_conv_kernel_dim"]], f"{n}.A_log": [values],
                f"{n}.dt_bias": [values], f"{n}.norm.weight": [vd], f"{n}.out_proj.weight": [h, values * vd]}
            continue
        gate = 2 if family == "qwen3_5" else 1
        shapes |= {f"{a}.q_proj.weight": [gate * heads * dim, h], f"{a}.o_proj.weight": [h, heads * dim]}
        if not shared:
            shapes |= {f"{a}.k_proj.weight": [kv * dim, h], f"{a}.v_proj.weight": [kv * dim, h]}
        if family != "ministral3":
            shapes |= {f"{a}.q_norm.weight": [dim]} | ({} if shared else {f"{a}.k_norm.weight": [dim]})
        if family == "gemma4":
            shapes |= {f"{p}.pre_feedforward_layernorm.weight": [h], f"{p}.post_feedforward_layernorm.weight": [h], f"{p}.layer_scalar": [1],
                f"{p}.per_layer_input_gate.weight": [c["hidden_size_per_layer_input"], h], f"{p}.per_layer_projection.weight": [h, c["hidden_size_per_layer_input"]],
                f"{p}.post_per_layer_input_norm.weight": [h]}
    return shapes


def write_fixtures(out):
    """Weights that a test can compute as well: element i of a tensor is ((37 i + 11 · length of its name) mod 101 − 50) / 64."""
    out.mkdir(parents=True, exist_ok=True)
    for family, c in FIXTURES.items():
        tensors = {}
        for name, shape in fixture_shapes(family, c).items():
            i = torch.arange(math.prod(shape))
            tensors[name] = (((37 * i + 11 * len(name)) % 101 - 50) / 64).float().reshape(shape)
        write_model(c, tensors, out / f"{family}.gguf", ARCHITECTURES[family], family == "qwen3_5")


def compare(folder, result, family):
    golden = load_file(folder / "golden.safetensors")
    mine = load_file(result / "reference.safetensors")
    tensors = load_file(folder / "model.safetensors")
    worst = max(((mine[k].reshape(v.shape) - v).abs().max() / v.abs().max()).item() for k, v in golden.items() if k.startswith("logits."))
    differing, read = 0.0, 0
    for name, values in mine.items():
        if not name.startswith("dequant."):
            continue
        read += 1
        differing = max(differing, (values - tensors[name[len("dequant."):]].float()).abs().max().item())
    bound = BOUNDS.get(family, 2e-5)
    ok = worst <= bound and differing <= 1e-6 and read > 20
    print(f"{family}: {read} tensors, off by at most {differing:.1e}; logits {worst:.1e} (bound {bound:.0e}) {'' if ok else 'FAILED'}", flush=True)
    return ok


def main(arguments):
    if arguments[0] == "--fixture":
        return write_fixtures(Path(arguments[1]))
    comparing = arguments[0] == "--compare"
    golden, out, *families = arguments[1:] if comparing else arguments
    fine = True
    for family in families or ARCHITECTURES:
        if comparing:
            fine &= compare(Path(golden) / family, Path(out) / family, family)
        else:
            write(Path(golden) / family, Path(out) / family, ARCHITECTURES[family])
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
