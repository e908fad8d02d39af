"""Writes the small checkpoints in bitsandbytes' 4-bit NF4 that tests/unit/bitsandbytes.test.ts and tests/gpu/bitsandbytes.test.ts read.

    python tests/interop/bnb_checkpoints.py tests/fixtures/bitsandbytes

Three Llamas of random weights, saved by transformers with bitsandbytes (CPU builds do):
  double     scales quantised too; v_proj left out by llm_int8_skip_modules; the rest in float32
  plain      float32 scales; the rest in bfloat16
  blocks128  as bitsandbytes quantises where blocks of 64 are not to be had (transformers has no setting for it: put together from its state dicts)
expected.json has, for each, the SHA-256 of every dequantised weight (float32, little-endian, before any rounding to the checkpoint's own dtype)
and the loss of a few tokens. The losses are those of transformers' model as loaded from the folder, computing in float32; for `plain` its weights
are not rounded to bfloat16 after dequantisation, as Finetab's are not, and the loss with that rounding is given as loss_rounded.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import bitsandbytes as bnb
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

TOKENS = [3, 17, 42, 5, 60, 21, 8, 33, 2, 50, 11, 29, 44, 7, 19, 1]


def base(folder, layers, hidden, intermediate, dtype):
    torch.manual_seed(hidden + layers)
    config = LlamaConfig(
        vocab_size=64, hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=2,
        head_dim=hidden // 4, max_position_embeddings=64, tie_word_embeddings=True, initializer_range=0.2,
    )
    LlamaForCausalLM(config).to(dtype).save_pretrained(folder)


def save_quantized(source, target, dtype, **settings):
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32, **settings)
    AutoModelForCausalLM.from_pretrained(source, quantization_config=config, dtype=dtype, device_map="cpu").save_pretrained(target)


def save_blocks128(source, target):
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    (target / "config.json").write_text(json.dumps(config, indent=2))
    tensors = load_file(target / "model.safetensors")
    for name in [name for name in tensors if "proj" in name]:
        packed, state = bnb.functional.quantize_4bit(tensors[name].float(), blocksize=128, compress_statistics=True, quant_type="nf4")
        tensors[name] = packed
        tensors.update({f"{name}.{part}": value for part, value in state.as_dict(packed=True).items()})
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})


def dequantized(folder):
    """Every weight in NF4, in float32 and not rounded further, by bitsandbytes' own PyTorch code: its CPU kernel (0.50) errs where rows are no multiple of a block."""
    tensors = load_file(folder / "model.safetensors")
    weights = {}
    for name in [name.removesuffix(".quant_map") for name in tensors if name.endswith(".weight.quant_map")]:
        parts = {key: value for key, value in tensors.items() if key.startswith(name + ".")}
        state = bnb.functional.QuantState.from_dict(parts, device="cpu")
        absmax = bnb.functional.dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
        weights[name] = _dequantize_4bit_compute(tensors[name].reshape(-1), absmax, state.code, state.blocksize, state.shape, torch.float32)
        if state.shape[1] % state.blocksize == 0:
            state.dtype = torch.float32
            assert torch.equal(bnb.functional.dequantize_4bit(tensors[name], state), weights[name])
    return weights


def loss(model):
    with torch.no_grad():
        # In training mode, where bitsandbytes computes in float32 on every CPU: its inference on some of them is in bfloat16.
        return model.train()(input_ids=torch.tensor([TOKENS]), labels=torch.tensor([TOKENS])).loss.item()


def plain_model(folder, weights):
    """The same weights in an ordinary float32 model."""
    config = LlamaConfig.from_pretrained(folder)
    del config.quantization_config
    model = LlamaForCausalLM(config).float()
    tensors = {name: value.float() for name, value in load_file(folder / "model.safetensors").items() if ".weight." not in name}
    model.load_state_dict({**tensors, **weights, "lm_head.weight": tensors["model.embed_tokens.weight"]})
    return model


def main(target):
    target = Path(target)
    expected = {"tokens": TOKENS}
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        base(temporary / "a", 1, 64, 264, torch.float32)
        base(temporary / "b", 1, 64, 64, torch.bfloat16)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        save_quantized(temporary / "a", target / "double", torch.float32, bnb_4bit_use_double_quant=True, llm_int8_skip_modules=["lm_head", "v_proj"])
        save_quantized(temporary / "b", target / "plain", torch.bfloat16, bnb_4bit_use_double_quant=False)
        save_blocks128(temporary / "b", target / "blocks128")
    for folder in sorted(target.iterdir()):
        (folder / "generation_config.json").unlink(missing_ok=True)
        weights = dequantized(folder)
        result = {"loss": loss(plain_model(folder, weights))}
        if folder.name != "blocks128":
            own = loss(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, device_map="cpu"))
            if folder.name == "plain":
                result["loss_rounded"] = own
            else:
                assert abs(own - result["loss"]) < 1e-6, (own, result)
        hashes = {name: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest() for name, value in sorted(weights.items())}
        expected[folder.name] = {**result, "sha256": hashes}
        print(folder.name, result, len(hashes), "weights", (folder / "model.safetensors").stat().st_size, "bytes")
    (target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main(*sys.argv[1:])
