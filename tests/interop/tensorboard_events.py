"""Event files of the project, read by TensorBoard's own reader, which checks every checksum.

    tensorboard_events.py [EVENTS METRICS.jsonl]

needs tensorboard. With arguments: every value of metrics.jsonl is in the file. Without: prints the bytes that
tensorboard's own writer makes of the events in tests/unit/tensorboard.test.ts, in base64.
"""
import base64
import io
import json
import struct
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

if len(sys.argv) == 1:
    out = io.BytesIO()
    writer = RecordWriter(out)
    writer.write(Event(wall_time=0, file_version='brain.Event:2').SerializeToString())
    for step, values in (
        (1, {'train/epoch': 0.5, 'train/loss': 2.5}),
        (300, {'train/epoch': 1, 'eval/pirate_loss': 1.25}),
    ):
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        writer.write(Event(wall_time=step, step=step, summary=summary).SerializeToString())
    print(base64.b64encode(out.getvalue()).decode())
else:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found = {}
    for event in EventFileLoader(sys.argv[1]).Load():
        for value in event.summary.value:
            number = value.tensor.float_val[0] if value.HasField('tensor') else value.simple_value
            found[event.step, value.tag] = number
    wanted = 0
    for line in open(sys.argv[2]):
        values = json.loads(line)
        step = values.pop('step')
        for key, value in values.items():
            tag = f'eval/{key[5:]}' if key.startswith('eval_') else f'train/{key}'
            assert found[step, tag] == struct.unpack('f', struct.pack('f', value))[0], (step, tag)
            wanted += 1
    assert wanted == len(found) > 0
    print(f'{wanted} values, all as written')
