"""The adapter for mlx-lm that `npm run convert` writes, read by mlx-lm itself: its logits are PEFT's.

    mlx_layout.py BASE

BASE is a folder of the Hub's layout that mlx-lm knows; LoRA, rsLoRA and DoRA adapters are made by PEFT. Needs torch,
transformers, peft, mlx (its CPU package will do) and mlx-lm; run it in the project's folder.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np
import torch
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

BOUND = 1e-4


def known_to_mlx(base, folder):
    """A copy whose config has rotary settings under the names of transformers 4, which mlx-lm reads."""
    shutil.copytree(base, folder)
    config = json.loads((base / 'config.json').read_text())
    rope = config.pop('rope_parameters', {})
    config['rope_theta'] = rope.pop('rope_theta', config.get('rope_theta'))
    if rope.get('rope_type', 'default') != 'default':
        config['rope_scaling'] = rope
    (folder / 'config.json').write_text(json.dumps(config))
    return folder


def main(base):
    folder = Path(tempfile.mkdtemp())
    base = known_to_mlx(base, folder / 'base')
    ids = list(range(3, 40))
    for kind in ('lora', 'rslora', 'dora'):
        torch.manual_seed(3)
        settings = {'use_rslora': kind == 'rslora', 'use_dora': kind == 'dora'}
        targets = ['q_proj', 'v_proj', 'down_proj'] if kind == 'rslora' else 'all-linear'
        config = LoraConfig(r=6, lora_alpha=8, target_modules=targets, task_type='CAUSAL_LM', **settings)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
        for name, parameter in model.named_parameters():
            if 'lora_B' in name:
                torch.nn.init.normal_(parameter, std=0.05)
            if 'magnitude' in name:
                parameter.data *= 1 + 0.1 * torch.rand_like(parameter)
        model.save_pretrained(folder / kind)
        out = folder / f'{kind}-mlx'
        command = ['npm', 'run', '-s', 'convert', '--', folder / kind, '--base', base, '--to', 'mlx', '--out', out]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        read = load_model(base, lazy=True)[0]
        read.set_dtype(mx.float32)
        plain = np.array(read(mx.array([ids])))
        read = load_adapters(read, str(out / 'mlx'))
        ours = np.array(read(mx.array([ids])))
        with torch.no_grad():
            theirs = model(torch.tensor([ids])).logits.numpy()
        names = set(mx.load(str(out / 'mlx/adapters.safetensors')))
        unknown = names - {name for name, _ in tree_flatten(read.parameters())}
        assert not unknown, f'{kind}: mlx-lm has no {unknown}'
        largest = np.abs(theirs).max()
        off, moved = np.abs(ours - theirs).max() / largest, np.abs(ours - plain).max() / largest
        print(f'{kind}: {len(names)} tensors, logits off by {off:.1e} of the largest; the adapter moves them by {moved:.1e}')
        assert off < BOUND < moved, kind


main(Path(sys.argv[1]))
