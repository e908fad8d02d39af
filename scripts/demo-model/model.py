"""Llama's architecture in plain PyTorch, with the tensor names of its checkpoints."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokenizer import MAX_POSITIONS, VOCABULARY_SIZE

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "vocab_size": VOCABULARY_SIZE,
    "max_position_embeddings": MAX_POSITIONS,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "torch_dtype": "bfloat16",
}

# The 16 code points of NF4 (QLoRA, Dettmers et al. 2023): quantiles of a normal distribution.
NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)


def nf4_rounded(weight: Tensor) -> Tensor:
    """`weight` as it comes back from NF4 in blocks of 64 with a float32 scale each."""
    codes = torch.tensor(NF4, device=weight.device)
    blocks = weight.reshape(-1, 64)
    scale = blocks.abs().amax(1, keepdim=True).clamp_min(1e-12)
    nearest = torch.bucketize(blocks / scale, (codes[1:] + codes[:-1]) / 2)
    return (codes[nearest] * scale).reshape(weight.shape)


class Linear(nn.Linear):
    """A linear layer that can compute as if its weight were stored in NF4; gradients go straight through."""

    four_bit = False

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        if Linear.four_bit:
            weight = weight + (nf4_rounded(weight.detach()) - weight.detach())
        return F.linear(x, weight)


class RmsNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(CONFIG["hidden_size"]))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, CONFIG["rms_norm_eps"])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        hidden, size = CONFIG["hidden_size"], CONFIG["head_dim"]
        self.q_proj = Linear(hidden, CONFIG["num_attention_heads"] * size)
        self.k_proj = Linear(hidden, CONFIG["num_key_value_heads"] * size)
        self.v_proj = Linear(hidden, CONFIG["num_key_value_heads"] * size)
        self.o_proj = Linear(CONFIG["num_attention_heads"] * size, hidden)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = (projection(x).view(batch, length, -1, CONFIG["head_dim"]).transpose(1, 2) for projection in (self.q_proj, self.k_proj, self.v_proj))
        y = F.scaled_dot_product_attention(rotated(q, rope), rotated(k, rope), v, is_causal=True, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, -1))


def rope_table(length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    size = CONFIG["head_dim"]
    frequencies = CONFIG["rope_theta"] ** (-torch.arange(0, size, 2, device=device).float() / size)
    angles = torch.outer(torch.arange(length, device=device).float(), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotated(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding, the two halves of a head as pairs."""
    one, two = x.chunk(2, -1)
    return x * rope[0] + torch.cat((-two, one), -1) * rope[1]


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate_proj = Linear(CONFIG["hidden_size"], CONFIG["intermediate_size"])
        self.up_proj = Linear(CONFIG["hidden_size"], CONFIG["intermediate_size"])
        self.down_proj = Linear(CONFIG["intermediate_size"], CONFIG["hidden_size"])

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.input_layernorm = RmsNorm()
        self.self_attn = Attention()
        self.post_attention_layernorm = RmsNorm()
        self.mlp = Mlp()

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(CONFIG["vocab_size"], CONFIG["hidden_size"])
        self.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = RmsNorm()


class Llama(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = Decoder()
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * CONFIG["num_hidden_layers"]) ** 0.5 if deep else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Hidden states [batch, length, hidden] after the last norm, for right-padded ids."""
        x = self.model.embed_tokens(ids)
        rope = rope_table(ids.shape[1], ids.device)
        for layer in self.model.layers:
            x = layer(x, rope)
        return self.model.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """The output head is the embedding."""
        return F.linear(hidden, self.model.embed_tokens.weight)

    @torch.no_grad()
    def answer(self, prompts: list[list[int]], end: int, pad: int, most: int = 48) -> list[list[int]]:
        """Greedy answers without their end token."""
        device = self.model.norm.weight.device
        rows = [list(prompt) for prompt in prompts]
        open_rows = list(range(len(rows)))
        for _ in range(most):
            length = max(len(rows[i]) for i in open_rows)
            ids = torch.full((len(open_rows), length), pad)
            for at, i in enumerate(open_rows):
                ids[at, : len(rows[i])] = torch.tensor(rows[i])
            hidden = self(ids.to(device))[range(len(open_rows)), [len(rows[i]) - 1 for i in open_rows]]
            for i, token in zip(list(open_rows), self.logits(hidden).argmax(-1).tolist()):
                if token == end:
                    open_rows.remove(i)
                else:
                    rows[i].append(token)
            if not open_rows:
                break
        return [row[len(prompt) :] for row, prompt in zip(rows, prompts)]
