"""The merged safetensors that `npm run convert` writes have the SHA-256 of Python's own merge: W + s B A, for DoRA by
its magnitudes, summed in float64, rounded to float32 and then to 16 bits, saved by the safetensors package.

    merged_bytes.py BASE [ADAPTER]

BASE is a folder of the Hub's layout with one model.safetensors; without an ADAPTER, LoRA, rsLoRA and DoRA adapters are
made by PEFT. The folder is then loaded by transformers, and its logits are held against PEFT's. Needs torch,
transformers and peft; run it in the project's folder.
"""
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM


def made_adapters(base, folder):
    for kind in ('lora', 'rslora', 'dora'):
        torch.manual_seed(3)
        settings = {'use_rslora': kind == 'rslora', 'use_dora': kind == 'dora'}
        config = LoraConfig(r=6, lora_alpha=8, target_modules='all-linear', task_type='CAUSAL_LM', **settings)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
        for name, parameter in model.named_parameters():
            if 'lora_B' in name:
                torch.nn.init.normal_(parameter, std=0.02)
            if 'magnitude' in name:
                parameter.data *= 1 + 0.1 * torch.rand_like(parameter)
        model.save_pretrained(folder / kind)
        yield folder / kind


def merge(base, adapter, dtype):
    config = json.loads((adapter / 'adapter_config.json').read_text())
    r, alpha = config['r'], config['lora_alpha']
    scale = alpha / r**0.5 if config['use_rslora'] else alpha / r
    matrices = load_file(adapter / 'adapter_model.safetensors')
    merged = {}
    for name, weight in load_file(base / 'model.safetensors').items():
        stem = f'base_model.model.{name.removesuffix(".weight")}'
        if f'{stem}.lora_A.weight' in matrices:
            a, b = (matrices[f'{stem}.lora_{matrix}.weight'].double() for matrix in 'AB')
            exact = weight.double() + scale * (b @ a)
            magnitude = matrices.get(f'{stem}.lora_magnitude_vector')
            if magnitude is not None:
                exact *= (magnitude.double() / exact.norm(dim=1))[:, None]
            weight = exact.float()
        merged[name] = weight.float().to(dtype).contiguous()
    return merged


def main(base, adapter=None):
    folder = Path(tempfile.mkdtemp())
    for each in [adapter] if adapter else made_adapters(base, folder):
        for dtype, name in ((torch.bfloat16, 'bfloat16'), (torch.float16, 'float16')):
            out = folder / f'{each.name}-{name}'
            command = ['npm', 'run', '-s', 'convert', '--', each, '--base', base, '--to', 'merged', '--out', out, '--dtype', name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            save_file(merge(base, each, dtype), folder / 'own.safetensors', metadata={'format': 'pt'})
            ours, own = ((path).read_bytes() for path in (out / 'merged/model.safetensors', folder / 'own.safetensors'))
            hashes = [hashlib.sha256(data).hexdigest() for data in (ours, own)]
            print(f'{each.name}, {name}: {len(ours)} bytes, sha256 {hashes[0][:16]} and {hashes[1][:16]}')
            if hashes[0] != hashes[1]:
                x, y = load_file(out / 'merged/model.safetensors'), load_file(folder / 'own.safetensors')
                wrong = sum(int((x[key] != y[key]).sum()) for key in y)
                raise SystemExit(f'{wrong} of {sum(t.numel() for t in y.values())} elements differ')
            ids = torch.arange(3, 40)[None]
            tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), each)
            tuned = tuned.merge_and_unload()
            # Parameters only: the frequencies of rotary embeddings stay float32.
            for parameter in tuned.parameters():
                parameter.data = parameter.data.to(dtype).float()
            with torch.no_grad():
                theirs = tuned(ids).logits
                read = AutoModelForCausalLM.from_pretrained(out / 'merged', dtype=torch.float32)(ids).logits
            off = float((read - theirs).abs().max() / theirs.abs().max())
            print(f'  in transformers: logits off by {off:.1e} of the largest')
            assert off < 4e-3, 'more than 16-bit rounding'


main(*map(Path, sys.argv[1:]))
