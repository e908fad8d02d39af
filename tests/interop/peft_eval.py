"""Loads an adapter that Finetab wrote into PEFT, over the same base with bitsandbytes' own NF4, and compares validation losses.

    npm run headless -- recipe.json --out OUT
    python tests/interop/peft_eval.py recipe.json OUT

Reads the recipe as `headless` does (paths relative to its file) and OUT/adapter, OUT/metrics.jsonl. Rows are encoded by transformers' own
apply_chat_template. Prints both losses of every validation file and exits with 1 where one differs by more than 1e-3.
Needs torch, transformers, peft, bitsandbytes (CPU builds do).
"""

import json
import sys
from pathlib import Path

import bitsandbytes.functional as bnb
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

BOUND = 1e-3


def quantize_linears(model):
    """Every linear layer of the decoder to NF4 with double quantisation and back; embeddings, head and norms stay as they are."""
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            # As rows of one block: the CPU kernels do not give back a matrix whose rows are no multiple of the block.
            weight = module.weight.data.float()
            blocks = torch.nn.functional.pad(weight.flatten(), (0, -weight.numel() % 64)).reshape(-1, 64)
            packed, state = bnb.quantize_4bit(blocks, blocksize=64, compress_statistics=True, quant_type="nf4")
            module.weight.data = bnb.dequantize_4bit(packed, state).flatten()[: weight.numel()].reshape(weight.shape).to(torch.float32)


def encode(tokenizer, recipe, row):
    """Ids and labels of a query/response row; None where the prompt's ids are not how the row's begin or nothing is left to learn."""
    system = recipe.get("system_prompt")
    messages = ([] if system is None else [{"role": "system", "content": system}]) + [{"role": "user", "content": row["query"]}]

    def ids(chat, prompt):
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt, date_string=recipe["date_string"])
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    prompt = ids(messages, True)
    whole = ids([*messages, {"role": "assistant", "content": row["response"]}], False)
    if whole[: len(prompt)] != prompt:
        return None
    limit = recipe["max_length"]
    labels = [-100] * len(prompt) + whole[len(prompt) :]
    return (whole[:limit], labels[:limit]) if len(prompt) < limit else None


@torch.no_grad()
def loss_of(model, rows):
    total, tokens = 0.0, 0
    for ids, labels in rows:
        logits = model(torch.tensor([ids])).logits[0, :-1]
        targets = torch.tensor(labels[1:])
        total += torch.nn.functional.cross_entropy(logits, targets, ignore_index=-100, reduction="sum").item()
        tokens += int((targets != -100).sum())
    return total / tokens


def main(recipe_path, out):
    recipe_path, out = Path(recipe_path), Path(out)
    recipe = json.loads((out / "recipe.json").read_text())
    written = json.loads(recipe_path.read_text())
    folder = recipe_path.parent / written["model"].removeprefix("folder:")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if recipe["quantization"] == "nf4":
        quantize_linears(model)
    model = PeftModel.from_pretrained(model, out / "adapter").eval()
    tokenizer = AutoTokenizer.from_pretrained(out / "adapter")
    worst = 0.0
    for path in written["validation_files"]:
        name = Path(path).name.split(".")[0]
        rows = [encode(tokenizer, recipe, json.loads(line)) for line in (recipe_path.parent / path).read_text().splitlines() if line.strip()]
        mine = [line[f"eval_{name}_loss"] for line in lines if f"eval_{name}_loss" in line][-1]
        theirs = loss_of(model, [row for row in rows if row is not None])
        worst = max(worst, abs(mine - theirs))
        print(f"{name}: page {mine:.6f}, PEFT {theirs:.6f}, difference {abs(mine - theirs):.2e}")
    print(f"worst {worst:.2e}, bound {BOUND:.0e}")
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
