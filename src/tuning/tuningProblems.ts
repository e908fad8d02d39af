/** What of some plans can be done in several ways, once a shape. */
import type { Tunable } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../plan/plan.ts';

/** Work that occurs in plans, as it is first met. */
export interface Work {
  tunable: Tunable;
  /** Where its values are. */
  graph: Graph;
  /** How often one replay of the first plan has it. */
  count: number;
}

/** The distinct works of some plans, those first that cost the first plan most. */
export function worksOf(plans: readonly Plan[]): Work[] {
  const works = new Map<string, Work>();
  for (const [index, plan] of plans.entries()) {
    for (const { tunable } of plan.dispatches) {
      if (!tunable) continue;
      const work = works.get(tunable.key) ?? { tunable, graph: plan.graph, count: 0 };
      if (index === 0) work.count++;
      works.set(tunable.key, work);
    }
  }
  const cost = ({ tunable, count }: Work) => tunable.operations * count;
  return [...works.values()].sort((a, b) => cost(b) - cost(a) || b.tunable.operations - a.tunable.operations);
}
