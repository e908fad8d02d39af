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
