"""A model of Llama-3.2-1B's shapes with random weights and an adapter for it, and what Python's own merge over its
weights in NF4 is: QLoRA's quantisation undone in float32, W + s B A summed in float64, rounded once to bfloat16.

    large_merge.py make FOLDER        writes FOLDER/model and FOLDER/adapter (2.5 GB)
    large_merge.py sha256 FOLDER      prints the SHA-256 of model.safetensors, merged

For mergeMemory.ts, which has the page make the same file in Chromium. Needs torch and safetensors; run it in the
project's folder.
"""
import hashlib
import json
import shutil
import struct
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

HIDDEN, WIDE, LAYERS, HEADS, SHARED, DIM, VOCABULARY, R, ALPHA = 2048, 8192, 16, 32, 8, 64, 128256, 16, 32
LINEAR = {
    'self_attn.q_proj': (HEADS * DIM, HIDDEN),
    'self_attn.k_proj': (SHARED * DIM, HIDDEN),
    'self_attn.v_proj': (SHARED * DIM, HIDDEN),
    'self_attn.o_proj': (HIDDEN, HEADS * DIM),
    'mlp.gate_proj': (WIDE, HIDDEN),
    'mlp.up_proj': (WIDE, HIDDEN),
    'mlp.down_proj': (HIDDEN, WIDE),
}
CONFIG = {
    'architectures': ['LlamaForCausalLM'],
    'model_type': 'llama',
    'hidden_size': HIDDEN,
    'intermediate_size': WIDE,
    'num_hidden_layers': LAYERS,
    'num_attention_heads': HEADS,
    'num_key_value_heads': SHARED,
    'head_dim': DIM,
    'vocab_size': VOCABULARY,
    'max_position_embeddings': 8192,
    'rms_norm_eps': 1e-5,
    'rope_theta': 500000.0,
    'tie_word_embeddings': True,
    'torch_dtype': 'bfloat16',
}
# The 16 code points of QLoRA.
NF4 = torch.tensor([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634,
    0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0], dtype=torch.float32)


def make(folder):
    torch.manual_seed(17)
    tensors = {'model.embed_tokens.weight': (torch.randn(VOCABULARY, HIDDEN) * 0.02).bfloat16()}
    matrices = {}
    for layer in range(LAYERS):
        stem = f'model.layers.{layer}'
        for norm in ('input_layernorm', 'post_attention_layernorm'):
            tensors[f'{stem}.{norm}.weight'] = (1 + 0.1 * torch.randn(HIDDEN)).bfloat16()
        for name, (rows, columns) in LINEAR.items():
            tensors[f'{stem}.{name}.weight'] = (torch.randn(rows, columns) * 0.02).bfloat16()
            matrices[f'base_model.model.{stem}.{name}.lora_A.weight'] = torch.randn(R, columns) * 0.02
            matrices[f'base_model.model.{stem}.{name}.lora_B.weight'] = torch.randn(rows, R) * 0.02
    tensors['model.norm.weight'] = (1 + 0.1 * torch.randn(HIDDEN)).bfloat16()
    for name in ('model', 'adapter'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / 'model/model.safetensors', metadata={'format': 'pt'})
    (folder / 'model/config.json').write_text(json.dumps(CONFIG, indent=2))
    for name in ('tokenizer.json', 'tokenizer_config.json'):
        shutil.copy(Path('public/demo') / name, folder / 'model' / name)
    save_file(matrices, folder / 'adapter/adapter_model.safetensors', metadata={'format': 'pt'})
    settings = {'peft_type': 'LORA', 'task_type': 'CAUSAL_LM', 'r': R, 'lora_alpha': ALPHA, 'lora_dropout': 0.0, 'bias': 'none'}
    modules = sorted({name.split('.')[-1] for name in LINEAR})
    (folder / 'adapter/adapter_config.json').write_text(json.dumps({**settings, 'target_modules': modules}, indent=2))


def dynamic_map():
    """The signed 8-bit map of nested absmax values, as bitsandbytes makes it."""
    data = []
    for i in range(7):
        bounds = torch.linspace(0.1, 1, 2**i + 1, dtype=torch.float32)
        means = (bounds[:-1] + bounds[1:]) / 2.0
        data += (10 ** (i - 6) * means).tolist() + (-(10 ** (i - 6)) * means).tolist()
    return torch.tensor(sorted([*data, 0.0, 1.0]), dtype=torch.float32)


def through_nf4(weight):
    """The float32 values of a weight's NF4 with double quantisation. Its size is a multiple of 64 times 256."""
    blocks = weight.float().reshape(-1, 64)
    absmax = blocks.abs().amax(1)
    codes = torch.bucketize((blocks * (1.0 / absmax)[:, None]).clamp(-1, 1), (NF4[1:] + NF4[:-1]) / 2)
    offset = absmax.mean()
    nested = (absmax - offset).reshape(-1, 256)
    largest, known = nested.abs().amax(1), dynamic_map()
    levels = torch.bucketize(nested * (1.0 / largest)[:, None], (known[1:] + known[:-1]) / 2)
    scale = (known[levels] * largest[:, None]).reshape(-1) + offset
    return (NF4[codes] * scale[:, None]).reshape(weight.shape)


def merged(folder):
    matrices = load_file(folder / 'adapter/adapter_model.safetensors')
    with safe_open(folder / 'model/model.safetensors', 'pt') as file:
        for name in file.keys():
            weight = file.get_tensor(name)
            stem = f'base_model.model.{name.removesuffix(".weight")}'
            if f'{stem}.lora_A.weight' in matrices:
                a, b = (matrices[f'{stem}.lora_{matrix}.weight'].double() for matrix in 'AB')
                weight = (through_nf4(weight).double() + ALPHA / R * (b @ a)).float().bfloat16()
            yield name, weight


def sha256(folder):
    """Of the file as safetensors writes it: all tensors are of one type, so they lie in the order of their names."""
    own = folder / 'own.safetensors'
    save_file(dict(merged(folder)), own, metadata={'format': 'pt'})
    digest = hashlib.sha256()
    with own.open('rb') as file:
        (length,) = struct.unpack('<Q', file.read(8))
        file.seek(0)
        while piece := file.read(2**24):
            digest.update(piece)
    print(f'{own.stat().st_size} bytes, header {length}')
    print(digest.hexdigest())


# The mean of the scales is summed in the order of one thread.
torch.set_num_threads(1)
{'make': make, 'sha256': sha256}[sys.argv[1]](Path(sys.argv[2]))
