"""Draws tokenizer.json files from the components that Finetab reads, and texts from all of Unicode, and writes their ids by Python's
tokenizers for tests/unit/tokenizerComponents.test.ts.

    python tests/interop/tokenizer_components.py tests/fixtures/tokenizers.json tests/fixtures/tokenizerComponents.json SEED COUNT

Needs tokenizers 0.23. The small vocabularies are those of tokenizers.json, which tokenizer_files.py writes.
"""

import copy
import json
import random
import sys

from tokenizers import Tokenizer

RANGES = [(0x20, 0x7E)] * 6 + [
    (0, 0x1F), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x800, 0xFFF), (0x1000, 0x1CFF), (0x1E00, 0x1FFF),
    (0x2000, 0x20FF), (0x2100, 0x27FF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF),
    (0x10000, 0x11FFF), (0x1F000, 0x1FAFF), (0x20000, 0x2FA1F), (0x30000, 0x33FFF), (0xE0000, 0xE01EF),
]
FRAGMENTS = [
    "'s", "'S", "'ſ", "don't", "I'M", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u0085", "\u00a0", "\ufeff", "\u2028", "\u200b", "\u3000",
    "123", "٣٤", "1234567", "½", "²", "Ⅷ", "é", "e\u0301", "ﬁ", "ǆ", "İ", "ß", "ΑΣ", "中文", "한국어", "🍣", "👩‍👩‍👧", "▁", "Ġ", "the", " hello", "foo_bar",
    "<s>", "</s>", "<|im_end|>", "[INST]", "<unk>", "<0x0A>", "fn(x){", "...", "\u212a", "\u0295", "\u20c1", "\U000323b0", " <s> ", "x<s>y", "\x00",
]
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
POSSESSIVE = r"[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
DEEPSEEK = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
PATTERNS = [{"String": " "}, {"String": "a"}] + [
    {"Regex": regex} for regex in [
        r"\s+", r"\p{N}{1,3}", QWEN, POSSESSIVE, DEEPSEEK, r"'(?i:[sdmt]|ll|ve|re)|\w+", "[一-龥\u3040-\u30ff]+", r" ?[^(\s|[.,!?…。，、।۔،])]+", r"[\p{Han}]+",
        r"[0-9][0-9][0-9]", r".$", r"\S+",
    ]
]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


class Drawn:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def flag(self):
        return self.random.random() < 0.5

    def character(self):
        while True:
            first, last = self.random.choice(RANGES) if self.random.random() < 0.9 else (0, 0x10FFFF)
            code = self.random.randint(first, last)
            if not 0xD800 <= code < 0xE000:
                return chr(code)

    def text(self):
        parts = []
        for _ in range(self.random.randint(0, 12)):
            whole = self.random.random() < 0.6
            parts.append(self.random.choice(FRAGMENTS) if whole else "".join(self.character() for _ in range(self.random.randint(1, 5))))
        return "".join(parts)

    def normalizer(self, depth=0):
        choice = self.random.randint(0, 9)
        if choice == 0 and depth < 2:
            return {"type": "Sequence", "normalizers": [self.normalizer(depth + 1) for _ in range(self.random.randint(0, 3))]}
        if choice <= 4:
            return {"type": self.random.choice(["NFC", "NFD", "NFKC", "NFKD", "Lowercase"])}
        if choice == 5:
            return {"type": "Strip", "strip_left": self.flag(), "strip_right": self.flag()}
        if choice == 6:
            return {"type": "Prepend", "prepend": "▁"}
        if choice == 7:
            return {"type": "BertNormalizer", "clean_text": self.flag(), "handle_chinese_chars": self.flag(), "strip_accents": False, "lowercase": self.flag()}
        return {"type": "Replace", "pattern": self.random.choice(PATTERNS), "content": self.random.choice(["▁", "", "x$1"])}

    def pre_tokenizer(self, depth=0):
        choice = self.random.randint(0, 10)
        if choice <= 2 and depth < 2:
            return {"type": "Sequence", "pretokenizers": [self.pre_tokenizer(depth + 1) for _ in range(self.random.randint(1, 3))]}
        if choice == 3:
            return {"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": True, "use_regex": self.flag()}
        if choice == 4:
            return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": self.random.choice(["always", "never"]), "split": self.flag()}
        if choice == 5:
            return {"type": "Digits", "individual_digits": self.flag()}
        if choice == 6:
            return {"type": "Punctuation", "behavior": self.random.choice(BEHAVIORS)}
        if choice == 7:
            return {"type": self.random.choice(["Whitespace", "WhitespaceSplit", "BertPreTokenizer"])}
        return {"type": "Split", "pattern": self.random.choice(PATTERNS), "behavior": self.random.choice(BEHAVIORS), "invert": self.flag()}

    def change(self, base):
        """What is put in place of the base's own keys."""
        change = {}
        if self.random.random() < 0.7:
            change["normalizer"] = self.normalizer() if self.random.random() < 0.7 else None
        if self.random.random() < 0.8:
            change["pre_tokenizer"] = self.pre_tokenizer() if self.random.random() < 0.9 else None
        if '"first"' in json.dumps(base["pre_tokenizer"]) and "pre_tokenizer" not in change:
            change.pop("normalizer", None)  # Refused together.
        if base["model"]["type"] == "BPE":
            change["model"] = {key: self.flag() for key in ["fuse_unk", "ignore_merges"]}
            if "<unk>" in base["model"]["vocab"] and self.flag():
                change["model"].update(unk_token="<unk>", byte_fallback=self.flag())
        if base["model"]["type"] == "Unigram":
            change["model"] = {"byte_fallback": self.flag()}
        tokens = [
            {**token, "lstrip": self.random.random() < 0.2, "rstrip": self.random.random() < 0.2, "single_word": self.random.random() < 0.2}
            for token in base["added_tokens"]
        ]
        next_id = max([len(base["model"]["vocab"])] + [token["id"] + 1 for token in tokens])
        for content in self.random.sample(["<|im_end|>", "foo", "the", "世界", "ΑΣ", "é", "<s>x", "1", "▁a", "\n\n", "[INST]"], self.random.randint(0, 4)):
            flags = {key: self.random.random() < 0.3 for key in ["single_word", "lstrip", "rstrip", "normalized", "special"]}
            tokens.append({"id": next_id, "content": content, **flags})
            next_id += 1
        change["added_tokens"] = tokens
        return change


def applied(base, change):
    made = copy.deepcopy(base)
    made.update({key: value for key, value in change.items() if key != "model"})
    made["model"].update(change.get("model", {}))
    return made


def main(bases_path, out, seed, count):
    with open(bases_path) as file:
        bases = {name: entry["tokenizer"] for name, entry in json.load(file)["tokenizers"].items()}
    drawn = Drawn(int(seed))
    cases = []
    while len(cases) < int(count):
        name = drawn.random.choice(list(bases))
        change = drawn.change(bases[name])
        try:
            tokenizer = Tokenizer.from_str(json.dumps(applied(bases[name], change)))
        except Exception as error:  # The normalizer leaves nothing of an added token, or makes two of them equal.
            assert "pattern.len()" in str(error) or "DuplicatePattern" in str(error), error
            continue
        rows = []
        for _ in range(8):
            text = drawn.text()
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            rows.append([text, ids, tokenizer.decode(ids, skip_special_tokens=False)])
        cases.append({"base": name, "change": change, "rows": rows})
    with open(out, "w") as file:
        json.dump(cases, file, separators=(",", ":"), ensure_ascii=False)
        file.write("\n")


main(*sys.argv[1:])
