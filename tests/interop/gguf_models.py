"""Merged models that `npm run convert -- ADAPTER --base BASE --to gguf --outtype T` wrote, read by the gguf package
and held tensor by tensor against PEFT's own merge: names by gguf's map of tensor names, rows of q and k as
LlamaModel.permute orders them, Gemma's norms plus one, blocks by gguf's own quantiser.

    gguf_models.py BASE ADAPTER MODEL.gguf [BASE ADAPTER MODEL.gguf …]

needs torch, transformers, peft and gguf; exits non-zero where a tensor differs by more than one step of its type.
"""
import sys

import gguf
import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

PERMUTED = {'llama', 'smollm3', 'granite'}
PLUS_ONE = {'gemma2', 'gemma3'}


def permute(weights, heads):
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def main(base, adapter, path):
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    config = merged.config.get_text_config()
    reader = gguf.GGUFReader(path)
    name = reader.fields['general.architecture'].contents()
    kind = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == name)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    written = {tensor.name: tensor for tensor in reader.tensors}
    worst, seen, unequal = 0.0, set(), 0
    for key, value in merged.state_dict().items():
        if key == 'lm_head.weight' and config.tie_word_embeddings:
            continue
        ours = names.get_name(key, try_suffixes=('.weight', '.bias'))
        assert ours in written, f'{key}: the file has no {ours}'
        seen.add(ours)
        want = value.float().numpy()
        if name in PERMUTED and '.q_proj.' in key:
            want = permute(want, config.num_attention_heads)
        if name in PERMUTED and '.k_proj.' in key:
            want = permute(want, config.num_key_value_heads)
        if name in PLUS_ONE and key.endswith('norm.weight'):
            want = want + np.float32(1)
        if want.ndim == 3:
            want = want[:, 0]
        tensor = written[ours]
        got = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        got = got.reshape([int(size) for size in tensor.shape[::-1]])
        assert got.shape == want.shape, f'{ours}: {got.shape} in place of {want.shape}'
        expected = gguf.quants.dequantize(gguf.quants.quantize(want, tensor.tensor_type), tensor.tensor_type)
        expected = expected.reshape(want.shape).astype(np.float32)
        # PEFT sums in float32 and we in float64: a value on the border of two codes may take the other one.
        step = {'F32': 2e-7, 'F16': 2**-10, 'Q8_0': 1 / 100, 'Q4_0': 1 / 6}[tensor.tensor_type.name]
        largest = np.abs(want).reshape(want.shape[0], -1).max(-1).reshape(-1, *[1] * (want.ndim - 1))
        off = np.abs(got - expected) / np.maximum(largest, 1e-12)
        assert off.max() <= step, f'{ours}: off by {off.max()} of its row ({tensor.tensor_type.name})'
        worst = max(worst, float(off.max()))
        unequal += int((got != expected).sum())
    extra = {n for n in written if n not in seen and not n.startswith('rope_')}
    assert not extra, f'the file has tensors that the model lacks: {extra}'
    print(f'{path}: {len(seen)} tensors, {unequal} elements in a neighbouring code, off by {worst:.1e} of a row at most')


for at in range(1, len(sys.argv), 3):
    main(*sys.argv[at : at + 3])
