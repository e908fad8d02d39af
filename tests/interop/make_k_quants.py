"""Writes tests/fixtures/kQuants.json: rows of 256 weights and the blocks that ggml makes of them.

    make_k_quants.py libggml-base.so

The library is in llama.cpp's builds, and in the npm package @node-llama-cpp/linux-x64. Needs numpy.
"""
import base64
import ctypes
import json
import sys
from pathlib import Path

import numpy as np

TYPES = {'Q4_K': (12, 144), 'Q6_K': (14, 210), 'Q5_0': (6, 8 * 22)}


def rows():
    random = np.random.default_rng(5)
    normal = random.standard_normal
    made = [normal(256) * 0.05, random.standard_t(2, 256) * 0.02, np.abs(normal(256)), -np.abs(normal(256))]
    made += [np.zeros(256), np.full(256, 0.7), normal(256) * 1e-3]
    made += [np.where(random.random(256) < 0.9, 0, normal(256)), normal(256) * 30]
    # A group of zeros, and one that is small beside the others.
    made[1][64:96] = 0
    made[0][32:64] *= 1e-4
    return np.stack(made).astype(np.float32)


def main(library):
    ggml = ctypes.CDLL(library)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
    values = rows()
    text = {'values': base64.b64encode(values.tobytes()).decode()}
    for name, (number, size) in TYPES.items():
        blocks = np.zeros(len(values) * size, np.uint8)
        written = ggml.ggml_quantize_chunk(number, values.ctypes.data, blocks.ctypes.data, 0, len(values), 256, None)
        assert written == len(blocks), (name, written)
        text[name] = base64.b64encode(blocks.tobytes()).decode()
    path = Path(__file__).parent.parent / 'fixtures/kQuants.json'
    path.write_text(json.dumps(text, indent=1) + '\n')


main(sys.argv[1])
