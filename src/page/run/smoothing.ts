import type { Numbers } from '../../training/metrics.ts';

/** Values that room is made for at first. */
const FIRST_ROOM = 1024;

/**
 * Exponential moving average of a curve that grows, corrected for its start as Adam's moments are. What was
 * smoothed before stays where it is: a step costs one value, and no array.
 */
export class Smoothing {
  private room = new Float64Array(FIRST_ROOM);
  private count = 0;
  private mean = 0;
  private weight = NaN;
  private source: Numbers | ArrayBufferLike | null = null;

  /**
   * @param values those of before and more; any others start it again
   * @param weight of the past, 0 to 1
   * @returns a view, whose values later calls with more of the same leave as they are
   */
  of(values: Numbers, weight = 0.9): Float64Array {
    const source = values instanceof Float64Array ? values.buffer : values;
    if (source !== this.source || weight !== this.weight || values.length < this.count) {
      // Views that were handed out keep their values. A log's column has room for the planned steps.
      const room = values instanceof Float64Array ? values.buffer.byteLength / values.BYTES_PER_ELEMENT : 0;
      this.room = new Float64Array(Math.max(FIRST_ROOM, room, values.length));
      [this.count, this.mean, this.weight, this.source] = [0, 0, weight, source];
    }
    this.makeRoom(values.length);
    for (; this.count < values.length; this.count++) {
      this.mean = weight * this.mean + (1 - weight) * values[this.count];
      this.room[this.count] = this.mean / (1 - weight ** (this.count + 1));
    }
    return this.room.subarray(0, this.count);
  }

  private makeRoom(count: number): void {
    if (count <= this.room.length) return;
    const room = new Float64Array(Math.max(count, 2 * this.room.length));
    room.set(this.room);
    this.room = room;
  }
}
