"""Holds the page's ids against transformers' of the folders that tests/interop/exportedTokenizers.ts wrote.

    python tests/interop/exported_tokenizers.py OUT

Needs transformers, 4.57 or 5; run it with both. Prints per tokenizer how many texts differ, and exits with 1 where one does.
"""

import json
import os
import sys

import transformers


def main(out):
    total = differing = 0
    print("transformers", transformers.__version__)
    for name in sorted(os.listdir(out)):
        folder = os.path.join(out, name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        with open(os.path.join(folder, "ids.json")) as file:
            rows = json.load(file)["rows"]
        # What UTF-8 cannot hold is no text in Python either.
        rows = [row for row in rows if not any("\ud800" <= character <= "\udfff" for character in row["text"])]
        wrong = [row for row in rows if tokenizer(row["text"], add_special_tokens=False)["input_ids"] != row["input_ids"]]
        for row in wrong[:3]:
            print("   ", repr(row["text"])[:80], tokenizer(row["text"], add_special_tokens=False)["input_ids"][:12], row["input_ids"][:12])
        print(f"{name}: {type(tokenizer).__name__}, {len(rows)} texts, {len(wrong)} differ")
        total, differing = total + len(rows), differing + len(wrong)
    print(f"{total} texts, {differing} differ")
    return 1 if differing else 0


sys.exit(main(*sys.argv[1:]))
