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
import time

# This file's own folder comes first on the path, and its name would be taken for the package's.
sys.path.pop(0)

from unsloth import FastLanguageModel  # first, as it changes transformers

import torch
from transformers import LlamaConfig, LlamaForCausalLM

MODELS = {
    "SmolLM2-135M": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, vocab_size=49152),
    "Qwen2.5-0.5B": dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, vocab_size=151936),
    "Llama-3.2-1B": dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, vocab_size=128256),
}
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def adapted(name, length, keep):
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        config = LlamaConfig(tie_word_embeddings=True, max_position_embeddings=8192, **MODELS[name])
        LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
        model, _ = FastLanguageModel.from_pretrained(folder, max_seq_length=length, dtype=torch.bfloat16, load_in_4bit=True, tokenizer_name=None)
    return FastLanguageModel.get_peft_model(
        model, r=16, lora_alpha=32, lora_dropout=0, target_modules=MODULES, use_gradient_checkpointing=False if keep else "unsloth", random_state=0
    )


def measure(name, count, length, keep):
    torch.cuda.empty_cache()
    model = adapted(name, length, keep)
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, weight_decay=0.0)
    ids = torch.randint(0, MODELS[name]["vocab_size"], (count, length), device="cuda")

    def step():
        with torch.autocast("cuda", torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    for _ in range(3):
        step()
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(7):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    seconds = sorted(times)[len(times) // 2]
    mode = "unsloth nf4" + (", nothing recomputed" if keep else "")
    return dict(model=name, mode=mode, documents=f"{count}×{length}", tokensPerSecond=count * length / seconds, stepMs=seconds * 1000, peakBytes=torch.cuda.max_memory_allocated())


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
    for name in options.model or list(MODELS):
        for shape in options.shape or ["1x512", "4x512", "4x1024"]:
            count, length = map(int, shape.split("x"))
            row = measure(name, count, length, options.keep)
            steps.append(row)
            print(f"{row['model']} {row['mode']} {row['documents']}: {row['tokensPerSecond']:.0f} tokens/s, {row['stepMs']:.1f} ms, {row['peakBytes'] / 2**30:.2f} GiB", flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(device=device, torch=torch.__version__, steps=steps, products=[]), file, indent=1)


if __name__ == "__main__":
    main()
