"""Trains the byte-level BPE tokenizer on the generated dialogues and writes it as transformers reads it."""

import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from dialogues import dialogue

PAD, END = "<|pad|>", "<|end|>"
SPECIAL_TOKENS = [PAD, END, "<|system|>", "<|user|>", "<|assistant|>"]
VOCABULARY_SIZE = 1536
MAX_POSITIONS = 256
# A word with the space before it, one digit, other signs, white space: numbers are read digit by digit.
PIECES = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ['system', 'user', 'assistant'] -%}{{ raise_exception('The roles are system, user and assistant, not ' + message['role']) }}{%- endif -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def train_tokenizer(seed: int, dialogues: int = 40_000) -> Tokenizer:
    rng = random.Random(f"{seed} tokenizer")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE, special_tokens=SPECIAL_TOKENS, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), min_frequency=20, show_progress=False
    )
    tokenizer.train_from_iterator((message["content"] for _ in range(dialogues) for message in dialogue(rng)), trainer)
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": MAX_POSITIONS,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def encode_dialogues(tokenizer: Tokenizer, dialogues: list[list[dict[str, str]]]) -> list[tuple[list[int], list[bool]]]:
    """Ids of dialogues as CHAT_TEMPLATE writes them, and which of them are answers (with their end token)."""
    bodies = iter(tokenizer.encode_batch_fast([message["content"] + END for messages in dialogues for message in messages], add_special_tokens=False))
    rows = []
    for messages in dialogues:
        ids: list[int] = []
        answer: list[bool] = []
        for message in messages:
            body = next(bodies).ids
            ids += [tokenizer.token_to_id(f"<|{message['role']}|>"), *body]
            answer += [False] + [message["role"] == "assistant"] * len(body)
        rows.append((ids, answer))
    return rows
