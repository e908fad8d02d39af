"""Trains small tokenizers of the forms that model families have, and writes them with their ids for tests/unit/tokenizerFiles.test.ts.

    python tests/interop/tokenizer_files.py tests/fixtures/tokenizers.json

Needs tokenizers.
"""

import json
import sys

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CORPUS = [
    "The quick brown fox jumps over the lazy dog.", "What is 2 + 2? It is 4.", "Grüße, 世界 🌍 and e\u0301.", "  leading spaces\n\nlines\tand tabs",
    "def f(x):\n    return x + 1", "You are a helpful and friendly assistant.",
] * 4
TEXTS = [
    "The lazy fox is quick.", "  two  spaces", "Grüße, 世界 🌍👩‍👩‍👧", "e\u0301 é ﬁ ½", "line\n\nbreak\r\n\ttab", "<s>hi</s> there</s>", "", " ", "x",
    "unseen: ж中文字 \u200b\u00a0end", "1234567 + 89 = ?", "I'll don't WE'RE", "<s> spaced </s> x", "don’t \u2028 stop", "A" * 50,
]
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def trained(tokenizer, trainer, **settings):
    tokenizer.train_from_iterator(CORPUS, trainer(special_tokens=SPECIAL + settings.pop("more", []), show_progress=False, **settings))
    return tokenizer


def sentencepiece():
    """As Llama 2 and TinyLlama: byte fallback, a space put before the text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    state = json.loads(trained(tokenizer, trainers.BpeTrainer, vocab_size=420, more=BYTES).to_str())
    state["added_tokens"] = state["added_tokens"][: len(SPECIAL)]
    return state


def byte_level(split, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    return trained(tokenizer, trainers.BpeTrainer, vocab_size=340, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def split_by(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return trained(tokenizer, trainers.UnigramTrainer, vocab_size=150, unk_token="<unk>")


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return trained(tokenizer, trainers.WordPieceTrainer, vocab_size=200)


def make():
    llama2 = sentencepiece()
    gemma = {
        **llama2,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
    }
    mistral = {**llama2, "normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}}
    yield from (("Llama 2", llama2), ("Gemma", gemma), ("Mistral", mistral))
    yield "GPT-2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield "Llama 3", byte_level(split_by(LLAMA3))
    yield "Qwen", byte_level(split_by(LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")), normalizers.NFC())
    yield "SmolLM", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    yield from (("Unigram", unigram()), ("WordPiece", wordpiece()))


def main(path):
    results = {}
    for name, made in make():
        tokenizer = Tokenizer.from_str(json.dumps(made)) if isinstance(made, dict) else made
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
        results[name] = {"tokenizer": json.loads(tokenizer.to_str()), "ids": ids, "decoded": [tokenizer.decode(line, skip_special_tokens=False) for line in ids]}
    with open(path, "w") as file:
        json.dump({"texts": TEXTS, "tokenizers": results}, file, separators=(",", ":"))
        file.write("\n")


main(*sys.argv[1:])
