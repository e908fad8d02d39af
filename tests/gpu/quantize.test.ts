/**
 * NF4 on the GPU: to the bit what the CPU makes, whatever the weights; an adapter that makes anything else is
 * refused.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { toFloat32 } from '../../src/formats/safetensors.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { BLOCK, quantizeBlocks, type BlockDtype } from '../../src/quant/nf4Code.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { GpuQuantizer, type BlockQuantizer } from '../../src/import/gpuQuantizer.ts';
import { planTensors } from '../../src/import/planTensors.ts';
import { testElements } from '../../src/import/quantizerTestData.ts';
import { storedChunks } from '../../src/import/weightStream.ts';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';
import { readIndependently } from '../helpers/independentReader.ts';
import { sharedPath } from '../helpers/shared.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const golden = sharedPath('golden/llama3_2');
const DTYPES: BlockDtype[] = ['F32', 'BF16', 'F16'];

/** Elements from float32 values, by cutting bits off. */
function elementsOf(dtype: BlockDtype, values: Float32Array): Float32Array | Uint16Array {
  if (dtype === 'F32') return values;
  return Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
}

describe.skipIf(!gpu)('NF4 on the GPU', () => {
  let quantizer: GpuQuantizer;
  beforeAll(async () => {
    quantizer = (await GpuQuantizer.create(gpu!))!;
    expect(quantizer, 'this adapter passes the self-test').not.toBeNull();
  });
  afterAll(() => quantizer?.dispose());

  async function same(dtype: BlockDtype, elements: Float32Array | Uint16Array, what: string) {
    const blocks = elements.length / BLOCK;
    const mine = { absmax: new Float32Array(blocks + 1), packed: new Uint8Array(blocks * 32 + 5) };
    const expected = { absmax: new Float32Array(blocks + 1), packed: new Uint8Array(blocks * 32 + 5) };
    await quantizer.quantize(dtype, elements, blocks, mine.absmax, 1, mine.packed, 5);
    quantizeBlocks(dtype, elements, blocks, expected.absmax, 1, expected.packed, 5);
    expect(mine.packed, `${what}: codes`).toEqual(expected.packed);
    expect(new Uint32Array(mine.absmax.buffer), `${what}: absmax`).toEqual(
      new Uint32Array(expected.absmax.buffer),
    );
  }

  it.each(DTYPES)('%s: random blocks, values on both sides of every middle', async (dtype) => {
    await same(dtype, testElements(dtype, 1000), 'borderline');
    const before = { ...quantizer.count };
    const values = uniform(BLOCK * 4000, 5).map((value, i) => value * 0.05 * (1 + (i % 7)));
    await same(dtype, dtype === 'F16' ? testElements('F16', 64) : elementsOf(dtype, values), 'random');
    if (dtype !== 'F16')
      expect(
        (quantizer.count.marked - before.marked) / (quantizer.count.blocks - before.blocks),
      ).toBeLessThan(0.03);
  });

  it('every bfloat16 and every binary16, in blocks as they follow one another and shuffled', async () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const shuffled = all.map((_, i) => (i * 40503) & 0xffff);
    for (const dtype of ['BF16', 'F16'] as const) {
      for (const [what, bits] of [
        ['in order', all],
        ['shuffled', shuffled],
      ] as const) {
        const finite = toFloat32(dtype, new Uint8Array(bits.slice().buffer));
        // NaN and infinity are for the importer to refuse; here they must only not be called fine.
        await same(
          dtype,
          bits.map((half, i) => (Number.isFinite(finite[i]) ? half : 0)),
          `${dtype} ${what}`,
        );
      }
    }
  });

  it.skipIf(!golden)("PyTorch's codes and absmax of a whole checkpoint", async () => {
    const source = await openCheckpoint((await filesOf(golden!)).filter(({ path }) => !path.includes('/')));
    const expected = readIndependently(readFileSync(join(golden!, 'golden.safetensors')));
    let compared = 0;
    for (const [name, tensor] of source.tensors) {
      const codes = expected[`nf4.${name}.packed`];
      if (!codes) continue;
      const bytes = new Uint8Array(await tensor.file.blob.slice(tensor.begin, tensor.end).arrayBuffer());
      const elements =
        tensor.dtype === 'F32' ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
      const blocks = elements.length / BLOCK;
      const [absmax, packed] = [new Float32Array(blocks), new Uint8Array(blocks * 32)];
      await quantizer.quantize(tensor.dtype as BlockDtype, elements, blocks, absmax, 0, packed, 0);
      expect([...packed], name).toEqual(codes.values);
      expect([...absmax], name).toEqual(expected[`nf4.${name}.absmax`].values);
      compared++;
    }
    expect(compared).toBeGreaterThan(2);
  });

  it('an import through it stores the bytes of one without', async () => {
    const source = await openCheckpoint(tinyModelFiles());
    for (const info of planTensors(source, modelOf(TINY_CONFIG).tensors, 'nf4').values()) {
      const tensor = source.tensors.get(info.name)!;
      const chunks = async (quantize?: BlockQuantizer) => {
        const all = [];
        for await (const chunk of storedChunks(tensor, info, undefined, quantize)) all.push(chunk);
        return all;
      };
      expect(await chunks((...parameters) => quantizer.quantize(...parameters)), info.name).toEqual(
        await chunks(),
      );
    }
  });

  it('denormal, tiny and huge weights, blocks of zeros', async () => {
    const scales = [0, 1e-45, 1e-40, 2 ** -126, 2 ** -112, 2 ** -111, 1e-30, 1e30, 2 ** 123, 2 ** 124, 3e38];
    const values = Float32Array.from({ length: BLOCK * scales.length * 8 }, (_, i) =>
      Math.fround(uniform(1, i)[0] * scales[Math.floor(i / BLOCK) % scales.length]),
    );
    for (const dtype of ['F32', 'BF16'] as const) await same(dtype, elementsOf(dtype, values), dtype);
  });

  it('says of a block that holds no number what the CPU says', async () => {
    const bits = new Uint16Array(BLOCK * 3).fill(0x3c00);
    bits[70] = 0x7f80;
    bits[140] = 0xffc1;
    await same('BF16', bits, 'not finite');
  });

  it('is refused where the adapter computes otherwise', async () => {
    const context = await gpuWith({});
    const original = context.pipeline.bind(context);
    // A driver whose reciprocal is far off.
    Object.assign(context, {
      pipeline: (code: string, label: string) =>
        original(code.replace('let inverse = 1.0 /', 'let inverse = 1.001 /'), label),
    } satisfies Partial<GpuContext>);
    expect(await GpuQuantizer.create(context)).toBeNull();
    context.dispose();
  });
});
