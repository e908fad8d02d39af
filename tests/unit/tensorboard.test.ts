/** Bytes of TensorBoard's own SummaryWriter (tests/interop/tensorboard_events.py writes and reads them). */
import { describe, expect, it } from 'vitest';
import { tensorboardEvents } from '../../src/export/tensorboard.ts';
import type { MetricsLine } from '../../src/training/metrics.ts';

describe('an event file', () => {
  it('is what tensorboard writes of the same events', () => {
    const events = tensorboardEvents([
      { step: 1, epoch: 0.5, loss: 2.5 },
      { step: 300, epoch: 1, eval_pirate_loss: 1.25 },
    ] as MetricsLine[]);
    expect(Buffer.from(events).toString('base64')).toBe(
      'DwAAAAAAAABtUysJGg1icmFpbi5FdmVudDoy/JhRKTQAAAAAAAAAXjMXXAkAAAAAAADwPxABKicKEgoLdHJhaW4vZXBvY2gVAAAAPwoRCgp0cmFpbi9sb3NzFQAAIEBeJ5FMOwAAAAAAAAAaI6xcCQAAAAAAwHJAEKwCKi0KEgoLdHJhaW4vZXBvY2gVAACAPwoXChBldmFsL3BpcmF0ZV9sb3NzFQAAoD/sXPal',
    );
  });
});
