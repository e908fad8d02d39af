"""Writes tests/fixtures/torchSums.json: float32 sums as PyTorch's CPU kernel adds them up, by the number of values.

    ATEN_CPU_CAPABILITY=avx2 python tests/interop/make_torch_sums.py

Needs torch. Value i is (2654435761 i mod 2^32) / 2^32 + 1/128 in float32, which tests/unit/torchSum.test.ts makes too. The lengths lie on
both sides of every border of the kernel: a vector (8), four vectors (32), and its cascades (16 and 256 rows of 32).
"""

import json
from pathlib import Path

import numpy as np
import torch

LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 40, 63, 100, 257, 511, 512, 513, 1000, 4096, 8191, 8192, 8193, 10007, 40000, 131072, 262144, 300001]


def values(count: int) -> np.ndarray:
    hashed = (np.arange(count, dtype=np.uint64) * 2654435761) % 2**32
    return (hashed.astype(np.float64) / 2**32 + 1 / 128).astype(np.float32)


def main() -> None:
    torch.set_num_threads(1)
    sums = {str(count): float(torch.from_numpy(values(count)).sum()) for count in LENGTHS}
    out = Path(__file__).parent.parent / "fixtures" / "torchSums.json"
    out.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "sums": sums}, indent=1) + "\n")
    plain = {count: float(np.cumsum(values(int(count)), dtype=np.float32)[-1]) for count in sums}
    print(sum(plain[count] != sums[count] for count in sums), "of", len(sums), "differ from a sum from left to right")


if __name__ == "__main__":
    main()
