"""Loads the adapters that `npm run reference` trained into PEFT, over the same base, and compares logits.

    npm run reference -- FOLDER OUT          (FOLDER: one of shared/golden's form)
    python tests/interop/peft_families.py FOLDER OUT [FOLDER OUT ...]

OUT/adapter_trained is laid over the base as it is, OUT/adapter_qlora_trained over the base with the NF4 weights of OUT/reference.safetensors (bit for
bit those of golden.safetensors; bitsandbytes sums in another order and may scale a block by the next code). Prints the largest difference to the
engine's own logits (lora_logits.*, qlora_logits.* there) over their largest magnitude, and exits with 1 where one is over 1e-4.
Needs torch, transformers, peft, safetensors (CPU builds do).
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

BOUND = 1e-4


@torch.no_grad()
def worst_difference(folder, out, adapter, logits):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", attn_implementation="eager")
    model = model.double()
    expected = load_file(out / "reference.safetensors")
    if "qlora" in adapter:
        for name, parameter in model.named_parameters():
            if f"nf4.{name}.dequant" in expected:
                parameter.copy_(expected[f"nf4.{name}.dequant"])
    model = PeftModel.from_pretrained(model, out / adapter).double().eval()
    worst = 0.0
    for i, document in enumerate(json.loads((folder / "batch.json").read_text())):
        theirs = model(torch.tensor([document["input_ids"]])).logits[0]
        mine = expected[f"{logits}.{i}"].double()
        assert mine.shape == theirs.shape
        worst = max(worst, ((mine - theirs).abs().max() / theirs.abs().max()).item())
    return worst


def main(paths):
    failed = False
    for folder, out in zip(map(Path, paths[::2]), map(Path, paths[1::2])):
        found = [worst_difference(folder, out, f"adapter_{kind}trained", f"{name}_logits") for kind, name in (("", "lora"), ("qlora_", "qlora"))]
        failed |= not all(worst <= BOUND for worst in found)
        print(f"{folder.name}: lora {found[0]:.1e}, qlora {found[1]:.1e}", flush=True)
    return 1 if failed or len(paths) < 2 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
