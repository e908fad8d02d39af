"""Writes tests/fixtures/packing.json: how TRL packs rows of given lengths by its strategy bfd.

    python tests/interop/make_packing.py

Needs trl (1.16) and datasets. A bin's rows are found by an id in place of each row's tokens.
"""

import json
import random
from pathlib import Path

from datasets import Dataset
from trl import pack_dataset

CASES = {"few": (12, 16, 1), "ties": (400, 24, 2), "several batches": (2300, 512, 3)}


def main():
    made = {}
    for name, (rows, length, seed) in CASES.items():
        draw = random.Random(seed)
        lengths = [min(length, 1 + int(draw.expovariate(4 / length))) for _ in range(rows)]
        table = Dataset.from_dict({"input_ids": [[row] * size for row, size in enumerate(lengths)]})
        packed = pack_dataset(table, seq_length=length, strategy="bfd")
        bins = []
        for ids, sizes in zip(packed["input_ids"], packed["seq_lengths"]):
            places = [sum(sizes[:i]) for i in range(len(sizes))]
            bins.append([ids[place] for place in places])
        made[name] = {"max_length": length, "lengths": lengths, "bins": bins}
    path = Path(__file__).parent.parent / "fixtures" / "packing.json"
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
