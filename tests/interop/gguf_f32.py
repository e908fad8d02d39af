"""An F32 copy of a GGUF: the same metadata, every tensor dequantised. On it llama.cpp does not round activations to 8 bits.

    python tests/interop/gguf_f32.py MODEL.gguf COPY.gguf

Needs gguf and numpy.
"""

import sys

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf.quants import dequantize


def main(source, copy):
    reader = GGUFReader(source)
    writer = GGUFWriter(copy, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        if name == "general.file_type":
            writer.add_file_type(LlamaFileType.ALL_F32)
            continue
        kind = field.types[0]
        element = (field.types[-1],) if kind == GGUFValueType.ARRAY else ()
        writer.add_key_value(name, field.contents(), kind, *element)
    for tensor in reader.tensors:
        shape = [int(n) for n in reversed(tensor.shape)]
        writer.add_tensor(tensor.name, np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
