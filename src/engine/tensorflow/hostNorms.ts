/** DoRA's row norms for the TensorFlow.js engine, computed once for an adapter. */
import type { TensorInfo } from '../../formats/tensors.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorFlow, TensorFlowTensor } from '../../graph/tensorflowTypes.ts';
import type { Value } from '../../graph/value.ts';
import type { AdapterLayout } from '../../model/adapterLayout.ts';
import { doraNormGraph } from '../../model/planGraphs.ts';
import { TensorFlowExecutor, type Feeds } from '../../plan/tensorflow/tensorflowExecutor.ts';

export class HostNorms {
  private readonly made: { graph: Graph; norms: Value[] } | null;
  private current: Feeds | null = null;

  constructor(
    private readonly tf: TensorFlow,
    layout: AdapterLayout,
    infos: ReadonlyMap<string, TensorInfo>,
    private readonly weights: ReadonlyMap<string, TensorFlowTensor>,
  ) {
    this.made = layout.magnitudes ? doraNormGraph(layout, infos) : null;
  }

  /** The adapter is another. */
  adapterChanged(): void {
    this.current = null;
  }

  /** @returns the norms [out] of each module under the names of their states; none for plain LoRA */
  async feeds(parameters: ReadonlyMap<string, TensorFlowTensor>): Promise<Feeds> {
    if (!this.made) return {};
    if (this.current) return this.current;
    const { graph, norms } = this.made;
    const executor = new TensorFlowExecutor(this.tf, graph, this.weights);
    const tensors = executor.run(norms, {}, parameters);
    const values = await Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data())));
    this.tf.dispose(tensors);
    executor.dispose();
    return (this.current = Object.fromEntries(norms.map(({ name }, i) => [name, values[i]])));
  }
}
