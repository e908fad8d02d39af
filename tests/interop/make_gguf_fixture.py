"""Writes tests/fixtures/gguf.json: what gguf-py makes of values, of a small adapter and of a small file's metadata.

Needs numpy and gguf. Run: python tests/interop/make_gguf_fixture.py
"""
import base64
import json
import tempfile
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize

HEADS, KEY_HEADS, HEAD_DIM, WIDTH, RANK, ALPHA = 4, 2, 4, 16, 2, 6.0


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """LlamaModel.permute of convert_hf_to_gguf.py."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)
    )


def blocks(rng: np.random.Generator) -> dict:
    """Values of many magnitudes, with zero blocks, ties of rounding and what overflows binary16."""
    scales = rng.choice([1e-8, 1e-6, 1e-3, 1, 300, 9e4], (48, 1))
    values = (rng.standard_normal((48, 64)) * scales).astype(np.float32)
    values[3] = 0
    values[4, :32] = 0
    values[5] = np.arange(64, dtype=np.float32) * 127 / 254
    values[6] = 2.0 ** -np.arange(64, dtype=np.float32)
    made = {"values": text(values.tobytes())}
    for name in ("Q8_0", "Q4_0", "F16", "BF16"):
        finite = np.clip(values, -6e4, 6e4)
        made[name] = text(quantize(finite if name in ("Q8_0", "Q4_0") else values, gguf.GGMLQuantizationType[name]).tobytes())
    made["finite"] = text(np.clip(values, -6e4, 6e4).tobytes())
    return made


def adapter(rng: np.random.Generator) -> dict:
    """Two modules of a llama, whose q rows are reordered, as convert_lora_to_gguf.py writes them."""
    outs = {"self_attn.q_proj": HEADS * HEAD_DIM, "self_attn.k_proj": KEY_HEADS * HEAD_DIM, "mlp.down_proj": WIDTH}
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "mlp.down_proj": "ffn_down"}
    heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KEY_HEADS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapter.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_type("adapter")
        writer.add_name("tiny")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", ALPHA)
        tensors = {}
        for module, out in outs.items():
            a = rng.standard_normal((RANK, WIDTH)).astype(np.float32)
            b = rng.standard_normal((out, RANK)).astype(np.float32)
            stem = f"base_model.model.model.layers.0.{module}"
            tensors[f"{stem}.lora_A.weight"] = {"shape": a.shape, "data": text(a.tobytes())}
            tensors[f"{stem}.lora_B.weight"] = {"shape": b.shape, "data": text(b.tobytes())}
            writer.add_tensor(f"blk.0.{names[module]}.weight.lora_a", a)
            writer.add_tensor(f"blk.0.{names[module]}.weight.lora_b", permute(b, heads[module]) if module in heads else b)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return {"r": RANK, "lora_alpha": ALPHA, "heads": HEADS, "key_heads": KEY_HEADS, "tensors": tensors, "file": text(path.read_bytes())}


def metadata() -> dict:
    """Every type of value that a model's metadata has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        writer = gguf.GGUFWriter(path, "qwen3")
        writer.add_uint32("qwen3.block_count", 3)
        writer.add_int32("a.negative", -7)
        writer.add_float32("qwen3.rope.freq_base", 1e6)
        writer.add_bool("tokenizer.ggml.add_bos_token", False)
        writer.add_string("general.name", "naïve 模型")
        writer.add_array("tokenizer.ggml.tokens", ["a", "Ġb", "模", ""])
        writer.add_array("tokenizer.ggml.token_type", [1, 1, 3, 6])
        writer.add_array("tokenizer.ggml.scores", [0.0, -1.5, -2.0, -1000.0])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return {"file": text(path.read_bytes())}


if __name__ == "__main__":
    rng = np.random.default_rng(17)
    made = {"blocks": blocks(rng), "adapter": adapter(rng), "metadata": metadata()}
    Path(__file__).parent.parent.joinpath("fixtures/gguf.json").write_text(json.dumps(made, indent=1) + "\n")
