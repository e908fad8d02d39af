"""Which modules PEFT adapts, with what rank and scale, for many LoraConfigs; and an order by length of transformers.
Needs torch, transformers, peft. Run: python make_adapter_targets.py > ../fixtures/adapterTargets.json"""
import json

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.trainer_pt_utils import get_length_grouped_indices
import peft, transformers

config = LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=12, num_attention_heads=2, num_key_value_heads=1)
modules = [n for n, m in LlamaForCausalLM(config).named_modules() if isinstance(m, torch.nn.Linear) and n != "lm_head"]
cases = []
for lora in [
    dict(target_modules="all-linear"),
    dict(target_modules=["q_proj", "v_proj"]),
    dict(target_modules=["layers.1.mlp.down_proj", "o_proj"]),
    dict(target_modules=r".*\.layers\.(0|11)\.self_attn\.[qk]_proj"),
    dict(target_modules=r".*(up|gate)_proj"),
    dict(target_modules="all-linear", exclude_modules=["down_proj"]),
    dict(target_modules="all-linear", exclude_modules=r".*layers\.[0-9]\..*"),
    dict(target_modules=["q_proj", "k_proj"], layers_to_transform=1),
    dict(target_modules=["q_proj", "k_proj"], layers_to_transform=[0, 2, 11]),
    dict(target_modules=["q_proj", "mlp.up_proj"], layers_to_transform=[3], layers_pattern="layers"),
    dict(target_modules=["q_proj"], layers_to_transform=[1], layers_pattern=["blocks", "layers"]),
    dict(target_modules=["q_proj", "k_proj", "v_proj"], rank_pattern={"q_proj": 4, r"layers\.1\.self_attn\.v_proj": 2}),
    dict(target_modules=["q_proj", "k_proj", "v_proj"], rank_pattern={"^model.layers.3.self_attn.q_proj": 4, "q_proj": 3}, alpha_pattern={"[kv]_proj": 5, "k_proj": 7}),
    dict(target_modules=["q_proj", "down_proj"], rank_pattern={".*_proj": 5}, alpha_pattern={"mlp.down_proj": 20}, use_rslora=True),
]:
    torch.manual_seed(0)
    model = get_peft_model(LlamaForCausalLM(config), LoraConfig(r=8, lora_alpha=16, **lora))
    adapted = {n.removeprefix("base_model.model."): dict(rank=m.r["default"], scale=m.scaling["default"])
               for n, m in model.named_modules() if hasattr(m, "lora_A")}
    cases.append(dict(lora=lora, adapted=adapted))

grouped = []
for count, batch in [(37, 4), (7, 4), (260, 2), (16, 16)]:
    g = torch.Generator().manual_seed(count)
    lengths = torch.randint(1, 90, (count,), generator=g).tolist()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(5)).tolist()
    indices = get_length_grouped_indices(lengths, batch, generator=torch.Generator().manual_seed(5))
    grouped.append(dict(lengths=lengths, batch=batch, order=order, indices=indices))
print(json.dumps(dict(peft=peft.__version__, transformers=transformers.__version__, modules=modules, cases=cases, grouped=grouped)))
