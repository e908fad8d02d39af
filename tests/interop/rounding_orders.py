"""How far PyTorch's own float32 is from golden_preference.json where nothing but the order of its sums differs.

    python tests/interop/rounding_orders.py GOLDEN_FOLDER MAKE_PREFERENCE.py ORDERS KIND [KIND ...]

Each order is the same model with the coordinates of the residual stream and the units of each MLP in another random order (order 0: as they are), with the
adapter's rows and columns alike: exact arithmetic gives the same numbers, float32 rounds other partial sums. A kind of pairs is trained as make_preference.py
trains it, in float32. Prints the worst differences of each order (losses relative to the greater of 1 and the reference's size, gradient norms relative,
final rewards absolute), and how many orders miss a bound of ../shared/golden's README (1e-3, 1e-3, 5e-3).

qwen3, 24 orders: simpo misses with 1 (rewards 1.2e-2; 23 within 7.7e-4), cdpo with 17 (norms up to 2.9e-3), dpo with none (rewards 1.4e-3). Of the first gradient of
simpo, root mean squares of the errors of arrays against float64, relative to the arrays' own (geometric means): PyTorch's float32 1.4e-6 to 1.6e-6, ours 9.9e-7 on
SwiftShader and 1.1e-6 on lavapipe, TensorFlow.js on the CPU (sums in float64, results in float32) 5.1e-7. Two changes that were tried on ours: exponentials without
SwiftShader's bias (1.9e-7 of exp(x) between -20 and 0) change nothing (1.0e-6); the four products of matmul_cpu_vec4 added by pairs bring simpo to 2.2e-4 and cdpo's norm
from 2.7e-5 to 1.2e-3, over its bound. No order is better; float32 is at its end there.
Llama and Qwen folders without biases. Needs torch, transformers, peft, safetensors.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

BOUNDS = {"losses": 1e-3, "norms": 1e-3, "rewards": 5e-3}


def reorder(model, seed):
    if seed == 0:
        return
    random = torch.Generator().manual_seed(seed)
    base = model.base_model.model
    hidden = torch.randperm(base.config.hidden_size, generator=random)

    def last(order, *weights):
        for weight in weights:
            weight.data.copy_(weight.data[..., order])

    def into(order, layer):
        last(order, layer.base_layer.weight, layer.lora_A["default"].weight)

    def out_of(order, layer):
        for weight in (layer.base_layer.weight, layer.lora_B["default"].weight):
            weight.data.copy_(weight.data[order])

    last(hidden, base.model.embed_tokens.weight, base.model.norm.weight)
    if base.lm_head.weight.data_ptr() != base.model.embed_tokens.weight.data_ptr():
        last(hidden, base.lm_head.weight)
    for layer in base.model.layers:
        last(hidden, layer.input_layernorm.weight, layer.post_attention_layernorm.weight)
        units = torch.randperm(base.config.intermediate_size, generator=random)
        for projection in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj):
            into(hidden, projection)
        out_of(hidden, layer.self_attn.o_proj)
        for projection in (layer.mlp.gate_proj, layer.mlp.up_proj):
            into(hidden, projection)
            out_of(units, projection)
        into(units, layer.mlp.down_proj)
        out_of(hidden, layer.mlp.down_proj)


def run(folder, made, kind, seed):
    pairs = json.loads((folder / "preference.json").read_text())["pairs"]
    expected = json.loads((folder / "golden_preference.json").read_text())[kind]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model = PeftModel.from_pretrained(model, folder / "adapter_init", is_trainable=True).float().eval()
    reorder(model, seed)
    scores = lambda: [[made["logps"](model, p["prompt_ids"], p[answer])[0].detach() for answer in ("chosen_ids", "rejected_ids")] for p in pairs]
    with model.disable_adapter():
        reference = scores()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=5e-3, weight_decay=0.0)
    off = dict.fromkeys(BOUNDS, 0.0)
    for step, pick in enumerate(expected["step_pairs"]):
        optimizer.zero_grad()
        loss = made["loss_of"](kind, model, [(k, pairs[k]) for k in pick], reference, expected["settings"])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0).item()
        optimizer.step()
        wanted = expected["loss"][step]
        off["losses"] = max(off["losses"], abs(loss.item() - wanted) / max(1, abs(wanted)))
        off["norms"] = max(off["norms"], abs(norm / expected["grad_norm"][step] - 1))
    for now, then, *wanted in zip(scores(), reference, expected["rewards_chosen"], expected["rewards_rejected"]):
        for a, b, reward in zip(now, then, wanted):
            off["rewards"] = max(off["rewards"], abs(expected["settings"]["beta"] * (a - b).sum().item() - reward))
    return off


def main(folder, script, orders, *kinds):
    torch.set_num_threads(1)
    source = Path(script).read_text()
    made = {"torch": torch, "F": torch.nn.functional}
    exec(source[source.index("def logps") : source.index("SET = dict")], made)
    for kind in kinds:
        missed = 0
        for seed in range(int(orders)):
            off = run(Path(folder), made, kind, seed)
            missed += any(off[name] > bound for name, bound in BOUNDS.items())
            print(f"{kind}, order {seed}: " + ", ".join(f"{name} {value:.1e}" for name, value in off.items()), flush=True)
        print(f"{kind}: {missed} of {orders} orders miss a bound", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
