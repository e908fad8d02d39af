/** Which files a checkpoint is read from, and dtypes beyond 16 and 32 bits, as transformers reads them. */
import { describe, expect, it } from 'vitest';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { toFloat32, type SafetensorsDtype } from '../../src/formats/safetensors.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { tensorPieces, type TensorPiece } from '../../src/import/tensorPieces.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { floatsOf } from '../../src/quant/floatFormats.ts';
import { filesOf } from '../../scripts/lib/nodeFiles.ts';
import { sharedPath } from '../helpers/shared.ts';
import { TINY_CONFIG, tinyModelFiles, tinyWeights } from '../helpers/tinyModel.ts';

describe('files', () => {
  const folder = sharedPath('cases/33-stale-index');
  it.skipIf(!folder).each(['gone', 'both'])('a single file counts before a stale index: %s', async (name) => {
    const source = await openCheckpoint(await filesOf(`${folder}/${name}`));
    expect(source.weightFiles.map(({ path }) => path)).toEqual(['model.safetensors']);
    const table = source.tensors.get('model.embed_tokens.weight')!;
    const bytes = new Uint8Array(await table.file.blob.slice(table.begin, table.end).arrayBuffer());
    expect(toFloat32(table.dtype, bytes)[0]).toBeCloseTo(0.06911683827638626, 9);
  });

  it('a pickle is refused with the reason', async () => {
    const files = tinyModelFiles().filter(({ path }) => !path.endsWith('.safetensors'));
    await expect(
      openCheckpoint([...files, { path: 'm/pytorch_model.bin', blob: new Blob(['x']) }]),
    ).rejects.toThrow(/pytorch_model\.bin is a PyTorch pickle: reading it would run the code inside it/);
  });
});

/** A safetensors file of raw tensors. */
function safetensors(
  tensors: Record<string, { dtype: SafetensorsDtype; shape: number[]; bytes: Uint8Array }>,
) {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors))
    header[name] = { dtype, shape, data_offsets: [at, (at += bytes.byteLength)] };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return new Blob([
    length,
    json,
    ...Object.values(tensors).map(({ bytes }) => bytes as Uint8Array<ArrayBuffer>),
  ]);
}

const bytesOf = (array: Float64Array | Float32Array | Uint8Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('FP8', () => {
  it('numbers are those of e4m3fn and e5m2', () => {
    // torch: tensor([...], dtype=uint8).view(float8_e4m3fn).float()
    expect([...floatsOf('F8_E4M3', Uint8Array.of(0x00, 0x01, 0x38, 0x7e, 0xb8, 0x08, 0x81))]).toEqual([
      0, 0.001953125, 1, 448, -1, 0.015625, -0.001953125,
    ]);
    expect(floatsOf('F8_E4M3', Uint8Array.of(0x7f))[0]).toBeNaN();
    expect([...floatsOf('F8_E5M2', Uint8Array.of(0x01, 0x3c, 0x7b, 0x7c, 0xbc))]).toEqual([
      2 ** -16,
      1,
      57344,
      Infinity,
      -1,
    ]);
  });

  /** The tiny model with one projection in FP8, its factors beside it, another in F64. */
  function files(scaleShape: [number, number], block: [number, number] | null): NamedFile[] {
    const name = 'model.layers.0.mlp.down_proj.weight';
    const double = 'model.layers.0.mlp.up_proj.weight';
    const tensors: Parameters<typeof safetensors>[0] = Object.fromEntries(
      [...tinyWeights()].map(([key, { shape, data }]) => [
        key,
        { dtype: 'F32', shape, bytes: bytesOf(data as Float32Array) },
      ]),
    );
    const { shape } = tensors[name];
    const codes = Uint8Array.from({ length: shape[0] * shape[1] }, (_, i) => (i * 7) % 120);
    const factors = Float32Array.from({ length: scaleShape[0] * scaleShape[1] }, (_, i) => 0.01 * (i + 1));
    tensors[name] = { dtype: 'F8_E4M3', shape, bytes: codes };
    tensors[`${name}_scale_inv`] = { dtype: 'F32', shape: scaleShape, bytes: bytesOf(factors) };
    const floats = floatsOf('F32', tensors[double].bytes);
    tensors[double] = {
      dtype: 'F64',
      shape: tensors[double].shape,
      bytes: bytesOf(Float64Array.from(floats)),
    };
    const config = {
      ...TINY_CONFIG,
      quantization_config: { quant_method: 'fp8', weight_block_size: block },
    };
    return [
      { path: 'config.json', blob: new Blob([JSON.stringify(config)]) },
      { path: 'model.safetensors', blob: safetensors(tensors) },
    ];
  }

  it.each<[string, [number, number], [number, number] | null, (row: number, column: number) => number]>([
    ['a factor a tile', [3, 5], [8, 8], (row, column) => 5 * Math.floor(row / 8) + Math.floor(column / 8)],
    [
      'tiles that do not come out even',
      [2, 3],
      [16, 16],
      (r, c) => 3 * Math.floor(r / 16) + Math.floor(c / 16),
    ],
    ['one factor for all', [1, 1], null, () => 0],
  ])('weights are multiplied by %s', async (_, shape, block, factorOf) => {
    const source = await openCheckpoint(files(shape, block));
    const tensor = source.tensors.get('model.layers.0.mlp.down_proj.weight')!;
    expect([...source.tensors.keys()].some((name) => name.endsWith('_scale_inv'))).toBe(false);
    const { value: piece } = (await tensorPieces(tensor).next()) as { value: TensorPiece };
    const [rows, width] = tensor.shape;
    const values = floatsOf('F32', piece.bytes);
    for (let i = 0; i < rows * width; i++) {
      const code = floatsOf('F8_E4M3', Uint8Array.of((i * 7) % 120))[0];
      const factor = Math.fround(0.01 * (factorOf(Math.floor(i / width), i % width) + 1));
      expect(values[i], `element ${i}`).toBe(Math.fround(code * factor));
    }
    const weights = memoryWeightSource(source, modelOf(source.config).tensors, 'none');
    expect(weights.tensors.get('model.layers.0.mlp.up_proj.weight')!.kind).toBe('f32');
    let stored = 0;
    for await (const chunk of weights.stream('model.layers.0.mlp.down_proj.weight'))
      stored += chunk.bytes.length;
    expect(stored).toBe(4 * rows * width);
  });

  it('factors that do not fit the weight are refused', async () => {
    await expect(openCheckpoint(files([2, 2], [8, 8]))).rejects.toThrow(
      /down_proj\.weight_scale_inv is \[2,2\], but a weight \[24,40\] in tiles of \[8,8\] has 15 factors/,
    );
  });
});
