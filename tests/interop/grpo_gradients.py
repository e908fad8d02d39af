"""Gradients of one GRPO step by array, by PyTorch in float64, to hold our engine against.

    python tests/interop/grpo_gradients.py GOLDEN_FOLDER OUT.safetensors [FIXTURE.json]

The folder is one of ../shared/golden with preference.json (make_preference.py). The adapter is its probe (probe_A and probe_B of golden.safetensors, where both
matrices have gradients), the answers of group 1 were sampled by half of that B, so that ratios are not 1 and some are clipped, the reference is the base
model. OUT has <kind>.<PEFT's name>, <kind>.loss, <kind>.clipped and <kind>.kl; kinds: grpo_kl, dapo_kl (the divergence times the ratio, as TRL has it; a wider upper clip) and dr_grpo.
grpoGradients.ts compares. FIXTURE.json, for tests/golden/preference.test.ts, has of each array its largest magnitude and PLACES of its values. Needs torch, transformers, peft, safetensors.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from one_weight import compute_in_double

KINDS = {
    "grpo_kl": dict(loss_type="grpo", beta=0.04),
    "dapo_kl": dict(loss_type="dapo", beta=0.04, use_bias_correction_kl=True, epsilon_high=0.28),
    "dr_grpo": dict(loss_type="dr_grpo", scale_rewards=False),
}
EPSILON, MAX_LENGTH = 0.2, 16
PLACES = 5


def logps(model, prompt, answer):
    ids = torch.tensor([prompt + answer])
    every = model(input_ids=ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
    return every[len(prompt) - 1 :]


def step(model, group, old, base, loss_type, beta=0.0, scale_rewards=True, epsilon_high=EPSILON, use_bias_correction_kl=False):
    rewards = torch.tensor(group["rewards"], dtype=torch.float64)
    advantages = rewards - rewards.mean()
    if scale_rewards:
        advantages = advantages / (rewards.std() + 1e-4)
    count = len(group["completions"])
    tokens = sum(map(len, group["completions"]))
    loss, clipped, kls = 0.0, 0, []
    for answer, advantage, then, reference in zip(group["completions"], advantages, old, base):
        now = logps(model, group["prompt_ids"], answer)
        ratio = (now - then).exp()
        bounded = ratio.clamp(1 - EPSILON, 1 + epsilon_high)
        each = -torch.minimum(ratio * advantage, bounded * advantage)
        kl = (reference - now).exp() - (reference - now) - 1
        kls.append(kl.detach())
        if beta:
            each = each + beta * (ratio * kl if use_bias_correction_kl else kl)
        clipped += (bounded * advantage < ratio * advantage).sum().item()
        over = {"grpo": count * len(answer), "dr_grpo": count * MAX_LENGTH, "dapo": tokens}[loss_type]
        loss = loss + each.sum() / over
    return loss, clipped / tokens, torch.cat(kls).mean().item()


def places(array):
    """Spread over an array of any size, the same as the test takes."""
    flat = array.flatten()
    return [flat[((2 * i + 1) * flat.numel()) // (2 * PLACES)].item() for i in range(PLACES)]


def fixture(made, names):
    one = lambda key: made[key].item()
    rounded = lambda values: [float(f"{value:.9g}") for value in values]
    return {
        "names": names,
        "kinds": {
            kind: {key: one(f"{kind}.{key}") for key in ("loss", "clipped", "kl")}
            | {"values": [rounded([made[f"{kind}.{n}"].abs().max().item(), *places(made[f"{kind}.{n}"])]) for n in names]}
            for kind in KINDS
        },
    }


def main(folder, out, summary=None):
    torch.set_num_threads(1)
    folder = Path(folder)
    group = json.loads((folder / "preference.json").read_text())["groups"][1]
    probe = {n.split(".", 1)[1]: w.double() for n, w in load_file(folder / "golden.safetensors").items() if n.startswith(("probe_A.", "probe_B."))}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    compute_in_double()
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")).double().eval()
    parameters = {n.replace(".default", ""): p for n, p in model.named_parameters() if p.requires_grad}

    def set_adapter(scale_of_b):
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(probe[name] * (scale_of_b if "lora_B" in name else 1))

    def scores():
        with torch.no_grad():
            return [logps(model, group["prompt_ids"], answer) for answer in group["completions"]]

    set_adapter(0.5)
    old = scores()
    with model.disable_adapter():
        base = scores()
    set_adapter(1)
    made = {}
    for kind, settings in KINDS.items():
        model.zero_grad()
        loss, clipped, kl = step(model, group, old, base, **settings)
        loss.backward()
        print(f"{kind}: loss {loss.item():.6f}, clipped {clipped:.3f}, KL {kl:.4f}", flush=True)
        for key, value in {"loss": loss.item(), "clipped": clipped, "kl": kl}.items():
            made[f"{kind}.{key}"] = torch.tensor([value], dtype=torch.float64)
        for name, parameter in parameters.items():
            made[f"{kind}.{name}"] = parameter.grad.clone()
    save_file(made, out)
    if summary:
        Path(summary).write_text(json.dumps(fixture(made, list(parameters)), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
