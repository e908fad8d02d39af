"""Every adapter in every form by `npm run convert`: LoRA, rsLoRA, DoRA, and adapters of PEFT with odd modules, ranks and
layers, plain and DoRA, over a folder and over a GGUF. Each result is read back: a GGUF LoRA by the gguf package, a merged
folder by transformers, a merged GGUF by the gguf package, the layout for mlx-lm by its rules, the adapter of cluster and
player by PEFT; all of them are the function that PEFT computes. A form that cannot hold an adapter is refused by a
sentence, which is printed.

    every_form.py [WORK_FOLDER [KIND…]]

Needs torch, transformers, peft and gguf; run it in the project's folder, over the demo model.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

DEMO = Path('public/demo')
FORMS = ['gguf-lora', 'gguf', 'merged', 'mlx', 'cluster', 'player']
PATTERNS = {
    'target_modules': r'.*\.(1|2)\.self_attn\.(q|o)_proj|.*\.mlp\.(up|down)_proj',
    'rank_pattern': {'o_proj': 3, r'2\.mlp\.up_proj': 5},
    'alpha_pattern': {'down_proj': 3},
}
KINDS = {
    'lora': {'target_modules': 'all-linear'},
    'rslora': {'target_modules': 'all-linear', 'use_rslora': True},
    'dora': {'target_modules': 'all-linear', 'use_dora': True},
    'odd': PATTERNS,
    'odd rslora': {**PATTERNS, 'use_rslora': True},
    'odd dora': {**PATTERNS, 'use_dora': True},
    'one layer': {'target_modules': ['q_proj', 'v_proj', 'gate_proj'], 'layers_to_transform': [1]},
}


def base_model():
    return AutoModelForCausalLM.from_pretrained(DEMO, dtype=torch.float32)


def make_adapter(settings, folder, std=0.05):
    torch.manual_seed(5)
    model = get_peft_model(base_model(), LoraConfig(r=6, lora_alpha=8, task_type='CAUSAL_LM', **settings))
    for name, parameter in model.named_parameters():
        if 'lora_B' in name:
            torch.nn.init.normal_(parameter, std=std)
        if 'magnitude' in name:
            parameter.data *= 1 + 0.1 * torch.rand_like(parameter)
    model.save_pretrained(folder)


def convert(adapter, base, out, forms, *options):
    command = ['npm', 'run', '-s', 'convert', '--', str(adapter), '--base', str(base), '--to', ','.join(forms), '--out', str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def merged_by_peft(adapter):
    model = PeftModel.from_pretrained(base_model(), adapter).merge_and_unload()
    return {name: tensor for name, tensor in model.state_dict().items()}


def off(got, expected):
    """By the largest element of the difference, in the largest element of what is expected."""
    return float((got.float() - expected.float()).abs().max() / expected.float().abs().max())


def gguf_name(name):
    for ours, theirs in (
        ('model.embed_tokens', 'token_embd'), ('model.norm', 'output_norm'), ('lm_head', 'output'),
        ('model.layers.', 'blk.'), ('self_attn.q_proj', 'attn_q'), ('self_attn.k_proj', 'attn_k'),
        ('self_attn.v_proj', 'attn_v'), ('self_attn.o_proj', 'attn_output'), ('mlp.gate_proj', 'ffn_gate'),
        ('mlp.up_proj', 'ffn_up'), ('mlp.down_proj', 'ffn_down'), ('post_attention_layernorm', 'ffn_norm'),
        ('input_layernorm', 'attn_norm'),
    ):
        name = name.replace(ours, theirs)
    return name


def permuted(rows, heads):
    """llama.cpp's order of the rows of q and k."""
    size = rows.shape[0]
    return rows.reshape(heads, 2, size // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def in_gguf(name, rows, config):
    if name.endswith('q_proj.weight'):
        return permuted(rows, config.num_attention_heads)
    return permuted(rows, config.num_key_value_heads) if name.endswith('k_proj.weight') else rows


def read_gguf(path):
    reader = gguf.GGUFReader(path)
    return reader, {
        t.name: torch.tensor(gguf.quants.dequantize(t.data, t.tensor_type)).reshape([int(n) for n in t.shape[::-1]])
        for t in reader.tensors
    }


def check_gguf_lora(path, expected, plain, config):
    reader, tensors = read_gguf(path / 'adapter.gguf')
    alpha = float(reader.fields['adapter.lora.alpha'].contents())
    worst, seen = 0.0, 0
    for name, weight in expected.items():
        stem = gguf_name(name)
        if f'{stem}.lora_a' not in tensors:
            assert torch.equal(weight, plain[name]), f'{name} is adapted, but the GGUF has no matrices for it'
            continue
        a, b = tensors[f'{stem}.lora_a'], tensors[f'{stem}.lora_b']
        delta = alpha / a.shape[0] * (b.double() @ a.double())
        worst, seen = max(worst, off(delta, in_gguf(name, weight - plain[name], config))), seen + 1
    assert seen == len(tensors) // 2
    return worst


def check(form, path, expected, plain, adapter, config):
    if form == 'gguf-lora':
        return check_gguf_lora(path, expected, plain, config)
    if form == 'gguf':
        _, tensors = read_gguf(path / 'model.gguf')
        return max(off(tensors[gguf_name(n)], in_gguf(n, w, config)) for n, w in expected.items() if gguf_name(n) in tensors)
    if form == 'merged':
        read = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).state_dict()
        assert read.keys() == expected.keys()
        return max(off(read[name], weight) for name, weight in expected.items())
    if form == 'mlx':
        matrices = load_file(path / 'adapters.safetensors')
        settings = json.loads((path / 'adapter_config.json').read_text())
        assert settings['fine_tune_type'] == ('dora' if any(name.endswith('.m') for name in matrices) else 'lora')
        scale, worst = settings['lora_parameters']['scale'], 0.0
        for name in [name for name in matrices if name.endswith('.lora_a')]:
            stem = name.removesuffix('.lora_a')
            a, b = (matrices[f'{stem}.lora_{m}'].double() for m in 'ab')
            weight = plain[f'{stem}.weight'].double() + scale * (a @ b).T
            if f'{stem}.m' in matrices:
                weight *= (matrices[f'{stem}.m'].double() / weight.norm(dim=1))[:, None]
            worst = max(worst, off(weight, expected[f'{stem}.weight']))
        return worst
    # PEFT's own folder again.
    again = merged_by_peft(path / 'adapter')
    return max(off(again[name], weight) for name, weight in expected.items())


def main(work, kinds):
    config = base_model().config
    plain = {name: tensor.clone() for name, tensor in base_model().state_dict().items()}
    nothing = work / 'nothing'
    make_adapter({'target_modules': ['q_proj']}, nothing, std=0)
    code, text = convert(nothing, DEMO, work / 'base', ['gguf'], '--outtype', 'f32')
    assert code == 0, text
    failed = []
    for kind, settings in KINDS.items():
        if kinds and kind not in kinds:
            continue
        adapter = work / kind.replace(' ', '-')
        make_adapter(settings, adapter)
        expected = merged_by_peft(adapter)
        for where, base in (('folder', DEMO), ('GGUF', work / 'base/gguf/model.gguf')):
            out = adapter / where
            code, text = convert(adapter, base, out, FORMS)
            refused = {form: line for line in text.splitlines() for form in FORMS if line.startswith(f'{form}: ') and not (out / form).exists()}
            assert (code != 0) == (len(refused) > 0), text
            for form in FORMS:
                if form in refused:
                    print(f'{kind}, {where}: {refused[form]}', flush=True)
                    continue
                worst = check(form, out / form, expected, plain, adapter, config)
                # float32 but for what is written in 16 bits.
                bound = {'merged': 4e-3, 'gguf': 1e-3}.get(form, 1e-5)
                print(f'{kind}, {where}, {form}: off by {worst:.1e}', flush=True)
                if worst > bound:
                    failed.append((kind, where, form, worst))
        lora = adapter / 'folder/gguf-lora/adapter.gguf'
        if lora.exists():
            code, text = convert(lora, DEMO, adapter / 'again', ['merged'])
            assert code == 0, text
            first, again = (load_file(adapter / part / 'merged/model.safetensors') for part in ('folder', 'again'))
            differ = sum(int((first[name] != again[name]).sum()) for name in first) / sum(t.numel() for t in first.values())
            print(f'{kind}: the GGUF LoRA read back merges to the same but for {differ:.1e} of the elements', flush=True)
            # A scale that is no power of two is rounded to float32 in the GGUF.
            if differ > 1e-4:
                failed.append((kind, 'read back', differ))
    if failed:
        raise SystemExit(f'off by too much: {failed}')


if __name__ == '__main__':
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()), sys.argv[2:])
