/** Linear layers of one input with their adapters: LoRA, and DoRA as PEFT has it. */
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { add } from '../ops/elementwise/add.ts';
import { scale as multiply } from '../ops/elementwise/scale.ts';
import { doraScale } from '../ops/lora/dora.ts';
import { lora as applyLora } from '../ops/lora/lora.ts';
import { linear } from '../ops/matmul/linear.ts';
import { linearGroup } from '../ops/matmul/linearGroup.ts';
import { sum } from '../ops/numbered.ts';
import { groupName, magnitudeName, normName, type ProjectionGroup } from './adapterLayout.ts';
import { adapterOf, isTarget, type LoraShape } from './adapterTargets.ts';

export interface AdaptedModule {
  /** As the checkpoint has it, without '.weight'. */
  name: string;
  /** [out, in] */
  weight: Value;
}

interface AdapterContext {
  graph: Graph;
  lora: LoraShape;
  /** [T], or undefined where every token has the adapter as trained. */
  adapterScale(): Value | undefined;
  /** A mask of its own at each call; x itself where nothing is dropped. */
  dropout(x: Value): Value;
}

/** A module that has an adapter, and its place among those of its input. */
interface Target extends AdaptedModule {
  i: number;
}

/**
 * @param x [T, in]
 * @param bias adds the biases that there are to products in the order of `modules`
 * @returns one [T, out] a module, and the groups of modules that got an adapter
 */
export function adaptProducts(
  context: AdapterContext,
  x: Value,
  modules: readonly AdaptedModule[],
  bias: (products: readonly Value[]) => Value[],
): { outputs: Value[]; groups: ProjectionGroup[] } {
  const { graph, lora } = context;
  const targets = modules
    .map((module, i): Target => ({ ...module, i }))
    .filter(({ name }) => isTarget(name, lora));
  // With dropout every module draws its own mask, as in PEFT, so their inputs differ and nothing is shared.
  const shared = lora.lora_dropout > 0 ? targets.map((target) => [target]) : byAdapter(targets, lora);
  const groups = shared.map((group) => projectionGroup(group, x.shape[1], lora));
  const products = linearGroup(
    graph,
    x,
    modules.map(({ weight }) => weight),
  );
  // DoRA multiplies what comes before the bias.
  const outputs = lora.use_dora ? [...products] : bias(products);
  shared.forEach((group, n) => {
    const ys = group.map(({ i }) => outputs[i]);
    const adapted = lora.use_dora
      ? withDora(context, x, group, groups[n], ys)
      : withLora(context, context.dropout(x), groups[n], ys);
    adapted.forEach((y, g) => (outputs[group[g].i] = y));
  });
  return { outputs: lora.use_dora ? bias(outputs) : outputs, groups };
}

/** Modules whose rank and scale are the same, in the order of the first of each. */
function byAdapter(targets: readonly Target[], lora: LoraShape): Target[][] {
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const { rank, scale } = adapterOf(target.name, lora);
    const key = `${rank} ${scale}`;
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  return [...groups.values()];
}

function projectionGroup(group: readonly Target[], inFeatures: number, lora: LoraShape): ProjectionGroup {
  return {
    modules: group.map(({ name }) => name),
    inFeatures,
    outFeatures: group.map(({ weight }) => weight.shape[0]),
    ...adapterOf(group[0].name, lora),
  };
}

/** y + s B A x of each module. @param ys [T, out], whose storage is taken over */
function withLora(
  { graph, adapterScale }: AdapterContext,
  x: Value,
  { modules, inFeatures, outFeatures, rank, scale }: ProjectionGroup,
  ys: readonly Value[],
): Value[] {
  const a = graph.parameter(groupName(modules, 'A'), [modules.length * rank, inFeatures]);
  const b = graph.parameter(groupName(modules, 'B'), [sum(outFeatures), rank]);
  return applyLora(graph, x, { a, b, ys, scale, adapterScale: adapterScale() });
}

/**
 * W x + s B A x, multiplied by m / |W + s B A|. With dropout PEFT's W x stays whole and the adapter's own
 * part, (m / |…| - 1) W x' + m / |…| s B A x', reads the masked x' (DoraLinearLayer.forward): that is W (x -
 * x') plus the product of x' with its adapter, multiplied.
 * @param ys W x, [T, out]
 */
function withDora(
  context: AdapterContext,
  x: Value,
  group: readonly Target[],
  made: ProjectionGroup,
  ys: readonly Value[],
): Value[] {
  const { graph } = context;
  const masked = context.dropout(x);
  const scaled = (products: readonly Value[]) =>
    withLora(context, masked, made, products).map((product, g) => {
      const [name, shape] = [made.modules[g], [made.outFeatures[g]]];
      return doraScale(graph, {
        x: product,
        magnitude: graph.parameter(magnitudeName(name), shape),
        norm: graph.state(normName(name), shape),
        adapterScale: context.adapterScale(),
      });
    });
  if (masked === x) return scaled(ys);
  const rest = add(graph, x, multiply(graph, masked, -1));
  const parts = scaled(group.map(({ weight }) => linear(graph, masked, weight)));
  return parts.map((part, g) => add(graph, linear(graph, rest, group[g].weight), part));
}
