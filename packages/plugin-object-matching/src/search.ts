import { neighbourGraph, type GraphOptions, type NeighbourGraph } from '@hourglass/autoencoder';
import { nearestNeighbours, type Neighbours } from '@hourglass/metrics';

/** Maps a graph's file into memory: pages are read as they are needed. */
export function openGraph(path: string, dims: number, options: GraphOptions): NeighbourGraph {
  const graph = neighbourGraph(dims, options);
  graph.view(path);
  return graph;
}

/** What a search runs in. */
export interface SearchSpace {
  /** Latents `[n, dims]`, read when rows are compared: a graph does without them. */
  z(): Promise<Float32Array>;
  dims: number;
  /** Without it every row is compared. */
  graph?: NeighbourGraph;
}

/** The k nearest rows of queries `[q, dims]`, nearest first. */
export async function searchNearest(
  { z, dims, graph }: SearchSpace,
  queries: Float32Array,
  k: number,
): Promise<Neighbours> {
  const rows = queries.length / dims;
  const exact = async (of: Float32Array): Promise<Neighbours> => {
    const data = await z();
    return nearestNeighbours(
      { rows: data.length / dims, cols: dims, data },
      { rows: of.length / dims, cols: dims, data: of },
      k,
    );
  };
  if (graph === undefined || rows === 0) return exact(queries);
  const indices = new Int32Array(rows * k);
  const squared = new Float64Array(rows * k);
  for (let q = 0; q < rows; q++) {
    const query = queries.subarray(q * dims, (q + 1) * dims);
    const { keys, distances } = graph.search(query, k, 1);
    // A graph may lose its way among equal rows: then all are compared.
    const found =
      keys.length < k
        ? await exact(query)
        : { indices: Int32Array.from(keys, Number), squared: Float64Array.from(distances) };
    indices.set(found.indices, q * k);
    squared.set(found.squared, q * k);
  }
  return { k, indices, squared };
}
