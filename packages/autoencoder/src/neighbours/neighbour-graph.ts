import { setImmediate } from 'node:timers/promises';
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

/** Rows entered between two turns of the event loop: some tenths of a second of hundreds of numbers a row. */
const SLICE = 500;

export interface Building {
  signal?: AbortSignal;
  /** Called now and then with the rows entered so far. */
  entered?(rows: number): void;
}

/**
 * A graph of rows `[n, dims]`, numbered from 0. One thread: the same rows give the same graph.
 * @throws the reason of `signal`, when it was aborted
 */
export async function graphOfRows(
  rows: Float32Array,
  dims: number,
  options: GraphOptions,
  { signal, entered }: Building = {},
): Promise<NeighbourGraph> {
  const graph = neighbourGraph(dims, options);
  const n = rows.length / dims;
  for (let from = 0; from < n; from += SLICE) {
    signal?.throwIfAborted();
    const to = Math.min(n, from + SLICE);
    graph.add(
      BigUint64Array.from({ length: to - from }, (_, i) => BigInt(from + i)),
      rows.subarray(from * dims, to * dims),
      1,
    );
    entered?.(to);
    await setImmediate();
  }
  return graph;
}
