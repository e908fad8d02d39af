"""How far a golden folder's run moves when one weight's gradient at one step is off by a rounding. PyTorch in float64 throughout.

    python tests/interop/one_weight.py GOLDEN_FOLDER SCRIPT KIND STEP NAME INDEX [FRACTION ...]

SCRIPT is the one that made the folder's numbers: make_golden*.py (KIND lora, rslora or dora; prints how far curve and evaluation are from golden.json's) or
make_preference.py (KIND simpo; how far the losses and final rewards are from golden_preference.json's). FRACTION of the largest gradient of the array NAME is
added to its element INDEX at step STEP (from 0), and nothing else is changed. float32's epsilon is 1.2e-7.

qwen3, simpo, step 0, layers.0.mlp.up_proj.lora_B, 698 (a gradient of 4.5e-7 of the largest; AdamW divides it by itself plus 1e-8): rewards are off by
1.5e-4 at 0, 3.5e-4 at 1e-7, 9.3e-3 at 1.35e-7: our error there, one unit in the last place of the largest. As a whole our first gradient is off by at most
1.8e-6 of the largest of an array, PyTorch's in float32 by 2.2e-6. rounding_orders.py shows PyTorch's float32 missing likewise by the order of its sums alone.
qwen3_5, dora, step 2, layers.0.linear_attn.in_proj_a.lora_A, 309 (the first gradient of A there, 6e-8): curve and evaluation are off by
5.8e-3 and 6.4e-3 at -3e-6, 3.5e-2 and 3.5e-2 at -1e-5, 4.9e-2 and 5.8e-2 at -1.3e-5 (our run's difference there). Our gradients of
the first eight steps, each taken at our own weights, are off by 5.0e-6 of their root mean square, PyTorch's in float32 by 8.3e-6 (geometric means).
Needs torch, transformers, peft, safetensors.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

worst = lambda a, b: max(abs(x - y) for x, y in zip(a, b))


class InDouble:
    """torch, but what a model file asks to be computed in float32 is computed in float64."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


def compute_in_double():
    for name, module in list(sys.modules.items()):
        if name.startswith("transformers.models.") and ".modeling_" in name:
            module.torch = InDouble()
    torch.Tensor.float = torch.Tensor.double


def steps(parameters, optimizer, count, loss_of, change):
    """Takes the steps; `change` may change the gradients of each. Returns the losses."""
    losses = []
    for step in range(count):
        optimizer.zero_grad()
        losses.append(loss_of(step))
        change(step)
        torch.nn.utils.clip_grad_norm_([p for _, p in parameters], 1.0)
        optimizer.step()
    return losses


def curve(folder, script, kind, change_of):
    source = Path(script).read_text()
    golden = {"SHARED": True, "SEED": 7, "V": 384}
    exec(source[source.index("def ce_sum") : source.index("def randomise")], {**globals(), "math": __import__("math")}, golden)
    documents = json.loads((folder / "batch.json").read_text())
    expected = json.loads((folder / "golden.json").read_text())[kind]
    initial = load_file(folder / "adapter_init" / "adapter_model.safetensors")
    items = lambda batch: sum(sum(label != -100 for label in d["labels"][1:]) for d in batch)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").double()
    compute_in_double()
    settings = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", use_rslora=kind == "rslora", use_dora=kind == "dora")
    model = get_peft_model(model, settings).double().train()
    parameters = [(n.replace(".default", ""), p) for n, p in model.named_parameters() if p.requires_grad]
    with torch.no_grad():
        for name, parameter in parameters:
            if name in initial:
                parameter.copy_(initial[name].double())
    optimizer = torch.optim.AdamW([p for _, p in parameters], lr=1e-2, weight_decay=0.01)

    def loss_of(step):
        batch = [documents[(2 * step + i) % len(documents)] for i in (0, 1)]
        for group in optimizer.param_groups:
            group["lr"] = golden["lr_at"](step)
        total = 0.0
        for document in batch:
            loss = golden["ce_sum"](model, document) / items(batch)
            loss.backward()
            total += loss.item()
        return total

    losses = steps(parameters, optimizer, 20, loss_of, change_of(parameters))
    with torch.no_grad():
        evaluation = [(golden["ce_sum"](model.eval(), d) / items([d])).item() for d in documents]
    return f"curve {worst(losses, expected['loss']):.1e}, evaluation {worst(evaluation, expected['final_eval_loss']):.1e}"


def preference(folder, script, kind, change_of):
    source = Path(script).read_text()
    made = {"torch": torch, "F": torch.nn.functional}
    exec(source[source.index("def logps") : source.index("SET = dict")], made)
    pairs = json.loads((folder / "preference.json").read_text())["pairs"]
    expected = json.loads((folder / "golden_preference.json").read_text())[kind]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    compute_in_double()
    model = PeftModel.from_pretrained(model, folder / "adapter_init", is_trainable=True).double().eval()
    parameters = [(n.replace(".default", ""), p) for n, p in model.named_parameters() if p.requires_grad]
    scores = lambda: [[made["logps"](model, p["prompt_ids"], p[answer])[0].detach() for answer in ("chosen_ids", "rejected_ids")] for p in pairs]
    with model.disable_adapter():
        reference = scores()
    optimizer = torch.optim.AdamW([p for _, p in parameters], lr=5e-3, weight_decay=0.0)

    def loss_of(step):
        batch = [(k, pairs[k]) for k in expected["step_pairs"][step]]
        loss = made["loss_of"](kind, model, batch, reference, expected["settings"])
        loss.backward()
        return loss.item()

    losses = steps(parameters, optimizer, 20, loss_of, change_of(parameters))
    rewards = [[expected["settings"]["beta"] * (a - b).sum().item() for a, b in zip(now, then)] for now, then in zip(scores(), reference)]
    chosen, rejected = zip(*rewards)
    off = max(worst(chosen, expected["rewards_chosen"]), worst(rejected, expected["rewards_rejected"]))
    return f"losses {worst(losses, expected['loss']):.1e}, rewards {off:.1e}"


def main(folder, script, kind, step, name, index, *fractions):
    torch.set_num_threads(1)
    for fraction in map(float, ("0", *fractions)):

        def change_of(parameters):
            (weight,) = [p for n, p in parameters if name in n]

            def change(now):
                if now == int(step):
                    weight.grad.view(-1)[int(index)] += fraction * weight.grad.abs().max()

            return change

        run = preference if "preference" in Path(script).name else curve
        print(f"{kind}, {fraction:.2g} of the largest: {run(Path(folder), script, kind, change_of)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
