"""Whether LoftQ's start of an adapter pays over NF4: how much of the error it takes off, and what training makes of it.

    python tests/interop/loftq.py FOLDER FILE.gguf|- ROWS.jsonl [RANK [STEPS [RATE]]]

FILE.gguf lies in FOLDER; - is a FOLDER of safetensors. ROWS.jsonl has query and response. For each linear layer E = W - nf4(W); LoftQ starts B A at the best fit of rank r to E (five rounds, as PEFT's
loftq_init alternates) instead of 0. Prints the share of |E| that is left, the loss of held-out rows before training under the 16-bit base, under NF4 and
under NF4 with LoftQ, and the loss after STEPS steps of AdamW (RATE, 2e-4) from either start. Needs torch, transformers, gguf, accelerate.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

CODE = torch.tensor([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])
MIDDLES = (CODE[1:] + CODE[:-1]) / 2


def nf4(weight):
    blocks = weight.reshape(-1, 64)
    scale = blocks.abs().amax(1, keepdim=True).clamp_min(1e-12)
    return (CODE[torch.bucketize(blocks / scale, MIDDLES)] * scale).reshape(weight.shape)


class Adapted(torch.nn.Module):
    def __init__(self, weight, a, b):
        super().__init__()
        self.weight, self.a, self.b = weight, torch.nn.Parameter(a), torch.nn.Parameter(b)

    def forward(self, x):
        return x @ self.weight.T + (x @ self.a.T) @ self.b.T


def main(folder, gguf, rows, rank="16", steps="40", rate="2e-4"):
    rank, steps = int(rank), int(steps)
    of_file = {} if gguf == "-" else {"gguf_file": gguf}
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder, **of_file)
    texts = [json.loads(line) for line in open(rows)]
    examples = [tokenizer(f"Question: {t['query']}\nAnswer: {t['response']}", return_tensors="pt").input_ids[:, :96] for t in texts]
    held, trained = examples[:24], examples[24:]
    original = None

    def model_of(kind):
        nonlocal original
        model = AutoModelForCausalLM.from_pretrained(folder, **of_file, dtype=torch.float32)
        model.requires_grad_(False)
        left = []
        if kind == "16 bits":
            return model, left
        for parent in list(model.modules()):
            for name, layer in list(parent.named_children()):
                if not isinstance(layer, torch.nn.Linear) or name == "lm_head":
                    continue
                w = layer.weight.data
                out, inside = w.shape
                bound = inside**-0.5
                a, b = torch.empty(rank, inside).uniform_(-bound, bound), torch.zeros(out, rank)
                q = nf4(w)
                if kind == "LoftQ":
                    before = (w - q).norm()
                    for _ in range(5):
                        u, s, v = torch.svd_lowrank(w - q, rank + 8, niter=4)
                        b, a = u[:, :rank] * s[:rank].sqrt(), (v[:, :rank] * s[:rank].sqrt()).T.contiguous()
                        q = nf4(w - b @ a)
                    left.append(((w - q - b @ a).norm() / before).item())
                setattr(parent, name, Adapted(q, a, b))
        return model, left

    def loss(model, some):
        with torch.no_grad():
            return sum(model(x, labels=x).loss.item() for x in some) / len(some)

    for kind in ("16 bits", "NF4", "LoftQ"):
        model, left = model_of(kind)
        start = loss(model, held)
        if left:
            print(f"LoftQ, rank {rank}: {sum(left) / len(left):.3f} of |E| is left ({min(left):.3f} to {max(left):.3f})", flush=True)
        print(f"{kind}: held-out loss {start:.4f} before training", flush=True)
        parameters = [p for p in model.parameters() if p.requires_grad]
        if not parameters:
            continue
        optimizer = torch.optim.AdamW(parameters, lr=float(rate), weight_decay=0.0)
        for step in range(steps):
            optimizer.zero_grad()
            for i in range(4):
                x = trained[(4 * step + i) % len(trained)]
                (model(x, labels=x).loss / 4).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            if (step + 1) % 20 == 0:
                print(f"{kind}: held-out loss {loss(model, held):.4f} after {step + 1} steps", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
