"""PEFT's side of the bench: LoRA r16 on all linear layers, gradient checkpointing, AdamW, random weights, on CUDA.

    python3 tests/bench/peft.py [--json FILE] [--model NAME]... [--mode bf16|f32|nf4]... [--shape COUNTxLENGTH]...

Prints and writes one row a measurement: model, mode, shape, tokens a second, milliseconds a step, peak bytes; then cuBLAS's speed on the
shapes of the kernel bench. 'nf4' needs bitsandbytes (4-bit base, bfloat16 arithmetic); it is left out, and said so, where that is missing.
"""
import argparse
import json
import sys
import time
from pathlib import Path

# This file's own folder comes first on the path, and would be taken for the package of its name.
sys.path[0] = str(Path(__file__).parent / "shared")

import torch
from peft import LoraConfig, get_peft_model

from lora_steps import DEFAULT_MODELS, SHAPES, random_model, show, timed_steps


def base_model(name, mode):
    model = random_model(name, torch.float32 if mode in ("f32", "tf32") else torch.bfloat16, use_cache=False)
    if mode == "nf4":
        import bitsandbytes as bnb

        for parent in list(model.model.layers.modules()):
            for key, child in list(parent.named_children()):
                if type(child) is torch.nn.Linear:
                    made = bnb.nn.Linear4bit(child.in_features, child.out_features, bias=False, quant_type="nf4", compress_statistics=True, compute_dtype=torch.bfloat16)
                    made.weight = bnb.nn.Params4bit(child.weight.data.cpu(), requires_grad=False, quant_type="nf4", compress_statistics=True)
                    setattr(parent, key, made.cuda())
    return model


def measure(name, mode, count, length):
    torch.backends.cuda.matmul.allow_tf32 = mode == "tf32"
    torch.cuda.empty_cache()
    model = base_model(name, mode)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    model.train()
    return timed_steps(model, name, mode, count, length, autocast=mode in ("bf16", "nf4"))


def cublas():
    rows = []
    for m, k, n in ((2048, 2048, 8192), (512, 2048, 8192), (512, 8192, 2048), (4096, 4096, 4096)):
        for dtype, tf32 in ((torch.float32, False), (torch.float32, True), (torch.float16, False), (torch.bfloat16, False)):
            torch.backends.cuda.matmul.allow_tf32 = tf32
            a, b = torch.randn(m, k, device="cuda", dtype=dtype), torch.randn(n, k, device="cuda", dtype=dtype)
            for _ in range(5):
                a @ b.T
            torch.cuda.synchronize()
            started = time.perf_counter()
            for _ in range(30):
                a @ b.T
            torch.cuda.synchronize()
            seconds = (time.perf_counter() - started) / 30
            rows.append(dict(shape=f"{m}×{k}×{n}", dtype="tf32" if tf32 else str(dtype).removeprefix("torch."), tflops=2 * m * k * n / seconds / 1e12))
    source = torch.empty(2**28, device="cuda")
    target = torch.empty_like(source)
    target.copy_(source)
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(10):
        target.copy_(source)
    torch.cuda.synchronize()
    rows.append(dict(shape="copy of 1 GiB", dtype="float32", bytesPerSecond=10 * 2 * source.numel() * 4 / (time.perf_counter() - started)))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--model", action="append")
    parser.add_argument("--mode", action="append")
    parser.add_argument("--shape", action="append")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("peft.py: PyTorch finds no CUDA device; nothing to compare with.")
    device = torch.cuda.get_device_name()
    print(f"{device}, torch {torch.__version__}")
    steps = []
    for mode in options.mode or ["bf16", "nf4"]:
        if mode == "nf4":
            try:
                import bitsandbytes  # noqa: F401
            except ImportError as error:
                print(f"nf4 left out: {error}")
                continue
        for name in options.model or DEFAULT_MODELS:
            for shape in options.shape or SHAPES:
                count, length = map(int, shape.split("x"))
                try:
                    row = measure(name, mode, count, length)
                except Exception as error:  # a mode that does not run here must not hide the others
                    print(f"{name} {mode} {shape}: {error}")
                    continue
                steps.append(row)
                show(row)
    products = cublas()
    for row in products:
        speed = f"{row['tflops']:.1f} TFLOP/s" if "tflops" in row else f"{row['bytesPerSecond'] / 1e12:.2f} TB/s"
        print(f"{row['shape']} {row['dtype']}: {speed}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(device=device, torch=torch.__version__, steps=steps, products=products), file, indent=1)


if __name__ == "__main__":
    main()
