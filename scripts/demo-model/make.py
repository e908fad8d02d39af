"""Makes the demo model and its data from nothing but this folder:

    python3 -m pip install -r scripts/demo-model/requirements.txt
    python3 scripts/demo-model/make.py --out public/demo

Generates the dialogues, trains the tokenizer and the model, measures it on held-out prompts and writes the checkpoint, the model card and the sample
data. The same seed, steps and kind of device give the same files. On one H100 it takes two and a half minutes, on a processor most of a day.
"""

import argparse
import json
import os
import random
import time
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before torch: cuBLAS is deterministic with it

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

from card import write_card
from dialogues import DEFAULT_SYSTEM_PROMPT, SKILLS, dialogue, example
from model import CONFIG, Linear, Llama
from sample_data import write_sample_data
from tokenizer import END, PAD, encode_dialogues, train_tokenizer, write_tokenizer

BATCH_ROWS = 512
PEAK_LEARNING_RATE = 2e-3
# From this part of the training on, half of the steps see the weights as NF4 stores them, so that the answers survive 4-bit storage.
FOUR_BIT_FROM = 0.5
WINDOW_BATCHES = 16


def encoded_corpus(tokenizer: Tokenizer, seed: int, dialogues: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All dialogues end to end: ids, whether each is part of an answer, and where each dialogue begins."""
    rng = random.Random(f"{seed} corpus")
    ids: list[int] = []
    answers: list[bool] = []
    starts = [0]
    for first in range(0, dialogues, 20_000):
        made = [dialogue(rng) for _ in range(first, min(first + 20_000, dialogues))]
        for row, answer in encode_dialogues(tokenizer, made):
            ids += row
            answers += answer
            starts.append(len(ids))
    return np.array(ids, np.int64), np.array(answers, bool), np.array(starts, np.int64)


def batches(corpus: tuple[np.ndarray, np.ndarray, np.ndarray], rows: int, seed: int, device: torch.device):
    """Endless shuffled batches (ids, targets with -100 where there is no answer), padded on the right. Rows of like length go together."""
    flat, answers, starts = (torch.from_numpy(array).to(device) for array in corpus)
    lengths = torch.from_numpy(np.diff(corpus[2]))
    generator = torch.Generator().manual_seed(seed)
    window = rows * WINDOW_BATCHES
    while True:
        order = torch.randperm(len(lengths), generator=generator)
        for first in range(0, len(order) - window + 1, window):
            near = order[first : first + window]
            near = near[lengths[near].argsort(stable=True)]
            for at in torch.randperm(WINDOW_BATCHES, generator=generator).tolist():
                chosen = near[at * rows : (at + 1) * rows]
                longest = int(lengths[chosen].max())
                place = torch.arange(longest, device=device)
                inside = place < lengths[chosen].to(device)[:, None]
                index = (starts[chosen.to(device)][:, None] + place).clamp_max(len(flat) - 1)
                ids = torch.where(inside, flat[index], 0)
                yield ids, torch.where(inside & answers[index], ids, -100)


def train(model: Llama, corpus, steps: int, rows: int, seed: int, device: torch.device) -> None:
    matrices = [parameter for parameter in model.parameters() if parameter.ndim == 2]
    gains = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": gains, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=PEAK_LEARNING_RATE, betas=(0.9, 0.98), fused=device.type == "cuda")
    warmup = max(1, steps // 30)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * min(1, step / steps))))
    )
    started = time.time()
    for step, (ids, targets) in zip(range(steps), batches(corpus, rows, seed, device)):
        Linear.four_bit = step >= FOUR_BIT_FROM * steps and step % 2 == 1
        hidden = model(ids)[:, :-1]
        loss = F.cross_entropy(model.logits(hidden).flatten(0, 1), targets[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 40) == 0 or step == steps - 1:
            print(f"step {step}: loss {loss.item():.4f}, {(time.time() - started) / (step + 1) * 1000:.1f} ms a step", flush=True)
    Linear.four_bit = False


def exact_match(model: Llama, tokenizer: Tokenizer, seed: int, prompts: int) -> dict[str, dict[str, float]]:
    """Share of held-out prompts of each skill that are answered to the letter, with the default system prompt, without one, and from 4-bit weights."""
    result: dict[str, dict[str, float]] = {}
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)
    for skill in SKILLS:
        rng = random.Random(f"{seed} evaluation {skill}")
        made = [example(rng, skill, unseen=True) for _ in range(prompts)]
        result[skill] = {}
        for column, system, four_bit in (("system prompt", True, False), ("no system prompt", False, False), ("NF4", True, True)):
            heads = [{"role": "system", "content": DEFAULT_SYSTEM_PROMPT}] if system else []
            asked = encode_dialogues(tokenizer, [[*heads, {"role": "user", "content": row.query}] for row in made])
            ids = [row + [tokenizer.token_to_id("<|assistant|>")] for row, _ in asked]
            Linear.four_bit = four_bit
            answers = [tokenizer.decode(answer) for answer in model.answer(ids, end, pad)]
            result[skill][column] = sum(answer == row.response for answer, row in zip(answers, made)) / prompts
            if os.environ.get("SHOW_MISTAKES"):
                for answer, row in zip(answers, made):
                    if answer != row.response:
                        print(f"{skill}, {column}: {row.query!r} → {answer!r}, not {row.response!r}")
    Linear.four_bit = False
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as public/demo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=BATCH_ROWS, help="dialogues a step")
    parser.add_argument("--dialogues", type=int, default=600_000)
    parser.add_argument("--prompts", type=int, default=400, help="held-out prompts a skill to measure on")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_float32_matmul_precision("high")

    started = time.time()
    tokenizer = train_tokenizer(arguments.seed)
    if tokenizer.get_vocab_size() != CONFIG["vocab_size"]:
        raise SystemExit(f"The tokenizer has {tokenizer.get_vocab_size()} tokens, the model {CONFIG['vocab_size']}: change VOCABULARY_SIZE.")
    corpus = encoded_corpus(tokenizer, arguments.seed, arguments.dialogues)
    print(f"{arguments.dialogues} dialogues, {len(corpus[0]) / arguments.dialogues:.1f} tokens each, {time.time() - started:.0f} s", flush=True)
    model = Llama().to(device)
    train(model, corpus, arguments.steps, arguments.rows, arguments.seed, device)

    model.to(torch.bfloat16).to(torch.float32)
    measured = exact_match(model.eval(), tokenizer, arguments.seed, arguments.prompts)
    for skill, columns in measured.items():
        print(skill, columns, flush=True)
    write_tokenizer(tokenizer, out)
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)
    (out / "config.json").write_text(json.dumps({**CONFIG, "bos_token_id": None, "eos_token_id": end, "pad_token_id": pad}, indent=2) + "\n")
    save_file({name: weight.detach().to(torch.bfloat16).cpu().contiguous() for name, weight in model.named_parameters()}, out / "model.safetensors", {"format": "pt"})
    write_sample_data(out, arguments.seed)
    write_card(
        out / "README.md",
        measured,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        tokens=len(corpus[0]),
        arguments=arguments,
        device=torch.cuda.get_device_name() if device.type == "cuda" else "a CPU",
    )
    print(f"{time.time() - started:.0f} s in all")


if __name__ == "__main__":
    main()
