/** What of some plans can be done in several ways, once a shape. */
import type { TuningProblem } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../plan/plan.ts';

/** TuningTask that occurs in plans, as it is first met. */
export interface TuningTask {
  tuningProblem: TuningProblem;
  /** Where its values are. */
  graph: Graph;
  /** How often one replay of the first plan has it. */
  count: number;
}

/** The distinct works of some plans, those first that cost the first plan most. */
export function tuningTasksOf(plans: readonly Plan[]): TuningTask[] {
  const tasks = new Map<string, TuningTask>();
  for (const [index, plan] of plans.entries()) {
    for (const { tuningProblem } of plan.dispatches) {
      if (!tuningProblem) continue;
      const task = tasks.get(tuningProblem.key) ?? { tuningProblem, graph: plan.graph, count: 0 };
      if (index === 0) task.count++;
      tasks.set(tuningProblem.key, task);
    }
  }
  const cost = ({ tuningProblem, count }: TuningTask) => tuningProblem.operations * count;
  return [...tasks.values()].sort(
    (a, b) => cost(b) - cost(a) || b.tuningProblem.operations - a.tuningProblem.operations,
  );
}
