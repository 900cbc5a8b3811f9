import { Index, MetricKind, ScalarKind } from 'usearch';

/** Shape of a graph (HNSW). Source: Malkov, Yashunin (IEEE TPAMI 2018). */
export interface GraphOptions {
  connectivity: number;
  expansionAdd: number;
  expansionSearch: number;
}

/** Rows that can be searched by squared Euclidean distance, nearly exactly. */
export type NeighbourGraph = Index;

/** A graph of rows of `dims` numbers, without any yet. */
export const neighbourGraph = (
  dims: number,
  { connectivity, expansionAdd, expansionSearch }: GraphOptions,
): NeighbourGraph =>
  new Index({
    dimensions: dims,
    metric: MetricKind.L2sq,
    quantization: ScalarKind.F32,
    connectivity,
    expansion_add: expansionAdd,
    expansion_search: expansionSearch,
    multi: false,
  });

/** A graph of rows `[n, dims]`, numbered from 0. One thread: the same rows give the same graph. */
export function graphOfRows(rows: Float32Array, dims: number, options: GraphOptions): NeighbourGraph {
  const graph = neighbourGraph(dims, options);
  graph.add(
    BigUint64Array.from({ length: rows.length / dims }, (_, i) => BigInt(i)),
    rows,
    1,
  );
  return graph;
}
