"""How far a golden folder's training curve moves when gradients are rounded a little.

    python tests/interop/curve_conditioning.py GOLDEN_FOLDER MAKE_GOLDEN [KIND [NOISE [SEEDS]]]

MAKE_GOLDEN is the script that made the folder (its loss, schedule and patch to float64 are taken from it). KIND: rslora, lora or dora. PyTorch runs the
20 steps in float64, and NOISE times the root mean square of each gradient array is added to the array as normal noise at every step: what an engine
that rounds to float32 cannot avoid. Prints how far the curve and the evaluation after it are from golden.json's. NOISE 0: PyTorch in float32
instead, with initial adapters that differ by 1e-7 from seed to seed.

For shared/golden/qwen3_5, rslora: noise of 4e-6 (our gradients' own error; PyTorch's float32 has twice that) gives curves off by 4.2e-3 to 3.2e-2 and
evaluations off by 6.6e-3 to 5.2e-2 over ten seeds; float32 curves by 3.3e-3 to 1.4e-2 and evaluations by 5.1e-3 to 3.5e-2 over eight.
dora: noise of 1e-6 gives at most 3.6e-3 and 4.9e-3 over six seeds, 4e-6 1.4e-2 and 1.7e-2, 8e-6 (the error of PyTorch's float32) 2.6e-2 and 2.8e-2:
most of it comes through a few weights whose first gradients are tiny (one_weight.py).
Needs torch, transformers, peft, safetensors.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def main(folder, script, kind="rslora", noise="4e-6", seeds="10"):
    folder, noise = Path(folder), float(noise)
    source = Path(script).read_text()
    golden = {"SHARED": True, "SEED": 7, "V": 384}
    exec(source.split("out_dir, which = sys.argv")[0], golden)
    exec(source[source.index("def ce_sum"):source.index("def randomise")], golden)
    torch.set_num_threads(1)
    documents = json.loads((folder / "batch.json").read_text())
    expected = json.loads((folder / "golden.json").read_text())[kind]
    initial = load_file(folder / "adapter_init" / "adapter_model.safetensors")
    dtype = torch.float64 if noise else torch.float32

    def train(seed):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").to(dtype)
        if noise:
            golden["compute_in_double"]()
        settings = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", use_rslora=kind == "rslora", use_dora=kind == "dora")
        model = get_peft_model(model, settings).to(dtype)
        model.train()
        generator = torch.Generator().manual_seed(seed)
        draw = lambda like: torch.randn(like.shape, generator=generator, dtype=torch.float64).to(dtype)
        parameters = [(n.replace(".default", ""), p) for n, p in model.named_parameters() if p.requires_grad]
        with torch.no_grad():
            for name, parameter in parameters:
                if name in initial:
                    parameter.copy_(initial[name].to(dtype))
                if not noise:
                    parameter.mul_(1 + 1e-7 * draw(parameter))
        optimizer = torch.optim.AdamW([p for _, p in parameters], lr=1e-2, weight_decay=0.01)
        losses = []
        for step in range(20):
            batch = [documents[(2 * step + i) % len(documents)] for i in (0, 1)]
            supervised = golden["n_items"](batch)
            for group in optimizer.param_groups:
                group["lr"] = golden["lr_at"](step)
            optimizer.zero_grad()
            total = 0.0
            for document in batch:
                loss = golden["ce_sum"](model, document) / supervised
                loss.backward()
                total += loss.item()
            if noise:
                for _, p in parameters:
                    p.grad.add_(noise * p.grad.pow(2).mean().sqrt() * draw(p))
            torch.nn.utils.clip_grad_norm_([p for _, p in parameters], 1.0)
            optimizer.step()
            losses.append(total)
        model.eval()
        with torch.no_grad():
            return losses, [(golden["ce_sum"](model, d) / golden["n_items"]([d])).item() for d in documents]

    worst = lambda a, b: max(abs(x - y) for x, y in zip(a, b))
    for seed in range(1, int(seeds) + 1):
        losses, evaluation = train(seed)
        print(f"{kind} seed {seed}: curve {worst(losses, expected['loss']):.1e}, evaluation {worst(evaluation, expected['final_eval_loss']):.1e}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
