/** Whether an adapter from elsewhere fits a model, and the recipe's lora that it needs. */
import type { ReadAdapter } from '../formats/peft.ts';
import { UserError } from '../lib/errors.ts';
import type { Model } from '../model/architecture.ts';
import { isLinear } from '../model/config.ts';
import { isTarget } from '../model/adapterTargets.ts';
import type { LoraSettings } from '../engine/engine.ts';

/**
 * The settings of a run that starts from an adapter.
 * @param modelName for messages
 * @throws UserError naming the first module that the model lacks or whose size differs
 */
export function loraOf(adapter: ReadAdapter, model: Model, modelName: string): LoraSettings {
  if (adapter.evened)
    throw new UserError(
      "The adapter's modules have ranks or alphas of their own (rank_pattern, alpha_pattern), and a run has one of " +
        'each. Start from an adapter without them.',
    );
  return fittingLora(adapter, model, modelName);
}

/**
 * The LoRA settings of an engine that answers with an adapter; it may have had ranks of its own.
 * @throws UserError naming the first module that the model lacks or whose size differs
 */
export function fittingLora(
  { settings, modules, tensors }: ReadAdapter,
  model: Model,
  modelName: string,
): LoraSettings {
  const linears = new Map(
    model.tensors.filter(isLinear).map(({ name, shape }) => [name.replace(/\.weight$/, ''), shape]),
  );
  const { base_model_name_or_path: base, ...rest } = settings;
  const madeFor = base ? ` It was made for ${base}.` : '';
  for (const module of modules) {
    const shape = linears.get(module);
    if (!shape)
      throw new UserError(
        `The adapter changes ${module}, which ${modelName} does not have as a linear layer.${madeFor} Choose the model that belongs to it.`,
      );
    const [a, b] = ['A', 'B'].map(
      (matrix) => tensors.get(`base_model.model.${module}.lora_${matrix}.weight`)!.shape,
    );
    if (a[1] !== shape[1] || b[0] !== shape[0])
      throw new UserError(
        `The adapter's ${module} takes ${a[1]} and gives ${b[0]} values; that of ${modelName} takes ${shape[1]} and gives ${shape[0]}.${madeFor} Choose the model that belongs to it.`,
      );
  }
  return { ...rest, target_modules: targetsOf(modules, [...linears.keys()]) };
}

/** The shortest target_modules that name these modules and no other. */
function targetsOf(modules: readonly string[], linears: readonly string[]): LoraSettings['target_modules'] {
  const wanted = new Set(modules);
  if (linears.every((linear) => wanted.has(linear))) return 'all-linear';
  const ends = [...new Set(modules.map((module) => module.split('.').at(-1)!))].sort();
  const named = linears.filter((linear) => isTarget(linear, { target_modules: ends }));
  return named.length === modules.length ? ends : [...modules].sort();
}
