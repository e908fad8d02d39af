"""Writes the Parquet files of tests/fixtures: the forms in which data sets are published.

    python tests/interop/make_parquet.py tests/fixtures

pairs.snappy.parquet: query, response, an int64 column, three row groups. chat.zstd.parquet: messages as a list of structs, dictionary-coded roles,
one of them null. Needs pyarrow.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

out = Path(sys.argv[1])
rows = [{"query": f"say {i}", "response": "ahoy" if i != 4 else None, "id": i * 10**12} for i in range(7)]
pq.write_table(pa.Table.from_pylist(rows), out / "pairs.snappy.parquet", compression="snappy", row_group_size=3)
chats = [
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "héllo"}, {"role": "assistant", "content": "hi 👋"}]},
    {"messages": None},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]},
]
pq.write_table(pa.Table.from_pylist(chats), out / "chat.zstd.parquet", compression="zstd")
# Numbers of a tool's arguments as Python prints them: int64, float32 and float64, whole or not, in structs, lists and maps.
calls = [
    {"x": 2.0, "n": 3, "half": 0.5, "many": [1.0, 2.5], "deep": [{"y": 4.0}, {"y": None}], "single": 8.0, "named": [("a", 1.0)]},
    {"x": -0.0, "n": 2**40, "half": None, "many": [], "deep": None, "single": 0.1, "named": []},
]
arguments = pa.struct([
    ("x", pa.float64()), ("n", pa.int64()), ("half", pa.float64()), ("many", pa.list_(pa.float64())),
    ("deep", pa.list_(pa.struct([("y", pa.float64())]))), ("single", pa.float32()), ("named", pa.map_(pa.string(), pa.float64())),
])
table = pa.table({"arguments": pa.array(calls, arguments), "weight": pa.array([1.0, 0.0], pa.float64())})
pq.write_table(table, out / "numbers.parquet", compression="snappy")
