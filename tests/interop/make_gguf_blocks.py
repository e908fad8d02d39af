"""Random blocks of every GGUF format that is read, with gguf-py's values: writes ../fixtures/ggufBlocks.json.

Run:  python make_gguf_blocks.py     (gguf, numpy)
Every bit of a block is random but for its float16 scales, which are finite; one block in four has subnormal scales.
"""
import base64, json, os
import numpy as np, gguf
from gguf import GGMLQuantizationType as T

# by type: bytes of the float16 scales
SCALES = {T.F32: [], T.F16: [], T.BF16: [], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0]}
rng = np.random.default_rng(5)
result = {}
for kind, scales in SCALES.items():
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    if kind in (T.F32, T.F16, T.BF16):
        values = rng.standard_normal(64).astype(np.float32)
        raw = gguf.quants.quantize(values, kind) if kind == T.BF16 else values.astype(np.float32 if kind == T.F32 else np.float16).view(np.uint8)
    else:
        raw = rng.integers(0, 256, (8, size), dtype=np.uint8)
        for at in scales:
            d = rng.standard_normal(8); d[::4] *= 1e-6
            raw[:, at:at + 2] = d.astype(np.float16)[:, None].view(np.uint8)
    values = gguf.quants.dequantize(raw.reshape(-1, size) if elements > 1 else raw, kind).astype(np.float32).reshape(-1)
    result[kind.name] = dict(type=int(kind), bytes=base64.b64encode(np.ascontiguousarray(raw).tobytes()).decode(), values=base64.b64encode(values.tobytes()).decode())
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "ggufBlocks.json")
with open(out, "w") as file:
    file.write('{"gguf": %s, "formats": {\n' % json.dumps(__import__("importlib.metadata").metadata.version("gguf")))
    file.write(",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in result.items()) + "\n}}\n")
