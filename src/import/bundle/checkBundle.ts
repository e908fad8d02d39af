/** What a bundle says of its model, checked before anything of it is stored. */
import type { BundledTensor, BundleManifest } from '../../formats/bundle/bundleManifest.ts';
import { isGguf, isNf4, tensorPartBytes } from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { TensorRequirement } from '../../model/config.ts';
import { checkTokenizer } from '../checks/checkTokenizer.ts';
import { modelIdOf } from '../checks/modelId.ts';

const AGAIN = 'Make the bundle again from the model.';

/**
 * @param texts tokenizer and template files by name
 * @throws UserError naming what does not belong together
 */
export async function checkBundle(
  { model, parts }: BundleManifest,
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  const { tensors: required, config } = modelOf(model.config);
  const partBytes = new Map(parts.map(({ path, bytes }) => [path, bytes]));
  const known = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  for (const requirement of required) {
    const tensor = known.get(requirement.name);
    if (!tensor) throw new UserError(`This bundle's model has no tensor ${requirement.name}. ${AGAIN}`);
    checkTensor(tensor, requirement, model.quantization, partBytes);
  }
  if (known.size !== required.length || model.tensors.length !== required.length)
    throw new UserError(`This bundle's model has tensors that its architecture does not use. ${AGAIN}`);
  checkTokenizer({ texts: { ...texts }, config: model.config }, [], config.vocab_size);
  const { files, quantization } = model;
  if ((await modelIdOf({ files, config: model.config, texts: { ...texts }, quantization })) !== model.id)
    throw new UserError(`This bundle's model goes by the id of another one. ${AGAIN}`);
}

function checkTensor(
  { name, shape, kind, byRows, chunks }: BundledTensor,
  required: TensorRequirement,
  quantization: BundleManifest['model']['quantization'],
  partBytes: ReadonlyMap<string, number>,
): void {
  if (shape.join() !== required.shape.join())
    throw new UserError(
      `This bundle's tensor ${name} is [${shape}], but its config asks for [${required.shape}]. ${AGAIN}`,
    );
  const isQuantised = isNf4(kind) || isGguf(kind);
  const mayBe = isNf4(kind) ? quantization === 'nf4' && required.quantise : quantization === 'gguf';
  if ((isQuantised && !mayBe) || Boolean(byRows) !== Boolean(required.byRows))
    throw new UserError(`This bundle's tensor ${name} cannot be stored as ${kind}. ${AGAIN}`);
  const ends = new Map<string, number>();
  for (const { part, byteOffset, path } of chunks) {
    if (byteOffset !== (ends.get(part) ?? 0))
      throw new UserError(`This bundle's tensor ${name} has a gap ahead of ${path}. ${AGAIN}`);
    ends.set(part, byteOffset + partBytes.get(path)!);
  }
  const expected = Object.entries(tensorPartBytes({ name, shape, kind }));
  if (ends.size !== expected.length || expected.some(([part, bytes]) => !isWhole(ends.get(part), bytes)))
    throw new UserError(`This bundle's tensor ${name} has not the bytes of a ${kind} [${shape}]. ${AGAIN}`);
}

/** Parts are padded to 4 bytes. */
function isWhole(found: number | undefined, bytes: number): boolean {
  return found === bytes || found === Math.ceil(bytes / 4) * 4;
}
