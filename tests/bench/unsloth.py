"""Unsloth's side of the bench: the same LoRA as peft.py on the same shapes, NF4 base, on CUDA.

    python3 tests/bench/unsloth.py [--json FILE] [--model NAME]... [--shape COUNTxLENGTH]... [--keep]

It needs the package unsloth and its own versions of PyTorch, transformers and bitsandbytes. A random checkpoint of each model is written to a
temporary folder, which Unsloth then reads in 4 bits. --keep recomputes nothing; otherwise Unsloth's own checkpointing is on. The JSON has the
form of peft.py's, so that `npm run bench -- --peft FILE.json` prints the ratios.
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

# This file's own folder comes first on the path, and would be taken for the package of its name.
sys.path[0] = str(Path(__file__).parent / "shared")

from unsloth import FastLanguageModel  # first, as it changes transformers

import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from lora_steps import DEFAULT_MODELS, SHAPES, random_model, show, timed_steps

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def adapted(name, length, keep):
    with tempfile.TemporaryDirectory() as folder:
        random_model(name, max_position_embeddings=8192).save_pretrained(folder)
        # Unsloth opens no folder without a tokenizer; the bench makes up its own ids.
        words = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2}, unk_token="<unk>"))
        PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<unk>").save_pretrained(folder)
        model, _ = FastLanguageModel.from_pretrained(folder, max_seq_length=length, dtype=torch.bfloat16, load_in_4bit=True)
    return FastLanguageModel.get_peft_model(
        model, r=16, lora_alpha=32, lora_dropout=0, target_modules=MODULES, use_gradient_checkpointing=False if keep else "unsloth", random_state=0
    )


def measure(name, count, length, keep):
    torch.cuda.empty_cache()
    model = adapted(name, length, keep)
    model.train()
    mode = "unsloth nf4" + (", nothing recomputed" if keep else "")
    return timed_steps(model, name, mode, count, length, autocast=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--model", action="append")
    parser.add_argument("--shape", action="append")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    device = torch.cuda.get_device_name()
    print(f"{device}, torch {torch.__version__}")
    steps = []
    for name in options.model or DEFAULT_MODELS:
        for shape in options.shape or SHAPES:
            count, length = map(int, shape.split("x"))
            row = measure(name, count, length, options.keep)
            steps.append(row)
            show(row)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(device=device, torch=torch.__version__, steps=steps, products=[]), file, indent=1)


if __name__ == "__main__":
    main()
