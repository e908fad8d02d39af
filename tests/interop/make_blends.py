"""Makes tests/fixtures/blends.json: three adapters and their blends by PEFT's add_weighted_adapter, linear.

    python tests/interop/make_blends.py tests/fixtures/blends.json
"""
import json
import sys

import peft
import torch
from peft import LoraConfig, get_peft_model

torch.manual_seed(7)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.up = torch.nn.Linear(6, 5, bias=False)
        self.down = torch.nn.Linear(5, 6, bias=False)

    def forward(self, x):
        return self.down(self.up(x))


def config(alpha):
    return LoraConfig(r=3, lora_alpha=alpha, target_modules=["up", "down"], init_lora_weights=False)


def tensors(model, name):
    return {
        key.replace(f".{name}.", "."): {"shape": list(value.shape), "data": value.flatten().tolist()}
        for key, value in model.state_dict().items()
        if f".{name}." in key
    }


model = get_peft_model(Model(), config(6), adapter_name="ada")
model.add_adapter("ben", config(3))
model.add_adapter("cleo", config(12))
names = ["ada", "ben", "cleo"]
out = {
    "peft": peft.__version__,
    "adapters": [
        {"name": name, "lora_alpha": model.peft_config[name].lora_alpha, "tensors": tensors(model, name)}
        for name in names
    ],
    "blends": [],
}
for i, weights in enumerate([[0.5, 0.3, 0.2], [1.0, 1.0, 1.0], [0.7, -0.4, 0.0], [1.5, 0.25, 0.6]]):
    model.add_weighted_adapter(names, weights, f"blend{i}", combination_type="linear")
    blend = model.peft_config[f"blend{i}"]
    out["blends"].append(
        {"weights": weights, "r": blend.r, "lora_alpha": blend.lora_alpha, "tensors": tensors(model, f"blend{i}")}
    )
with open(sys.argv[1], "w", encoding="utf8") as file:
    json.dump(out, file)
    file.write("\n")
