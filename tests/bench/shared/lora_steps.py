"""What peft.py and unsloth.py have in common: the models' shapes, a training step, its time, and how a row is printed."""
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

MODELS = {
    "SmolLM2-135M": dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, vocab_size=49152),
    "Qwen2.5-0.5B": dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, vocab_size=151936),
    "Llama-3.2-1B": dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, vocab_size=128256),
    "Llama-3-8B": dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, vocab_size=128256, tie_word_embeddings=False),
}
# Measured where no model is named.
DEFAULT_MODELS = ["SmolLM2-135M", "Qwen2.5-0.5B", "Llama-3.2-1B"]
SHAPES = ["1x512", "4x512", "4x1024"]
WARM_UP = 3
TIMED = 7


def random_model(name, dtype=torch.bfloat16, **config):
    """A model of random weights, made on the GPU."""
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device("cuda"):
        model = LlamaForCausalLM(LlamaConfig(**{"tie_word_embeddings": True, **MODELS[name], **config}))
    torch.set_default_dtype(torch.float32)
    return model


def timed_steps(model, name, mode, count, length, autocast):
    """AdamW steps of `count` random documents of `length` tokens. Returns the row of the median step."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, weight_decay=0.0)
    ids = torch.randint(0, MODELS[name]["vocab_size"], (count, length), device="cuda")

    def step():
        with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    for _ in range(WARM_UP):
        step()
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(TIMED):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    seconds = sorted(times)[len(times) // 2]
    return dict(model=name, mode=mode, documents=f"{count}×{length}", tokensPerSecond=count * length / seconds, stepMs=seconds * 1000, peakBytes=torch.cuda.max_memory_allocated())


def show(row):
    print(f"{row['model']} {row['mode']} {row['documents']}: {row['tokensPerSecond']:.0f} tokens/s, {row['stepMs']:.1f} ms, {row['peakBytes'] / 2**30:.2f} GiB", flush=True)
