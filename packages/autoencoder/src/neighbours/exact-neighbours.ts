import { isBuiltIn, type CompiledForward, type Engine } from '@hourglass/engine';
import { columnMeans, nearestNeighbours, takeRows, type Neighbours, type NumberMatrix } from '@hourglass/metrics';
import * as tf from '@tensorflow/tfjs';

/** Products of numbers below which compiling costs more than it saves. */
const MANY = 2e8;
/** Columns below which a plain loop, which stops at the first ones that are too far, is as fast. */
const WIDE = 24;
/** Distances in memory at once. */
const HELD = 2 ** 23;
/** A product's largest relative error: GPUs multiply with ten bits behind the point (TF32). */
const ROUNDING = 2 ** -10;

/**
 * The answer of `nearestNeighbours`, for wide rows many times as fast: an engine computes all distances as products of
 * matrices in single precision, and the rows that may be among the nearest, whatever the rounding, are measured in double.
 *
 * @param base `[n, d]`
 * @param queries `[q, d]`
 * @param options.self - queries and base are the same rows: a row is no neighbour of itself @default false
 * @throws DATA_INSUFFICIENT, CALL_INVALID as `nearestNeighbours`; the signal's reason
 */
export async function exactNeighbours(
  engine: Engine,
  base: NumberMatrix,
  queries: NumberMatrix,
  k: number,
  { self = false, signal }: { self?: boolean; signal?: AbortSignal } = {},
): Promise<Neighbours> {
  const { rows: n, cols: d } = base;
  if (isBuiltIn(engine.name) || d < WIDE || n * d * queries.rows < MANY || queries.cols !== d || k >= n)
    return nearestNeighbours(base, queries, k, { self });
  const centre = columnMeans(base);
  const rows = centred(base, centre);
  const squares = squaredLengths(rows, d);
  const longest = Math.sqrt(squares.reduce((most, square) => Math.max(most, square), 0));
  const batch = Math.max(1, Math.min(256, Math.floor(HELD / n)));
  const forward = await engine.compileForward({
    params: { rows: { shape: [n, d], values: rows }, squares: { shape: [n], values: squares } },
    forward: (input, params) => ({
      // |b|² − 2 a·b: the distance but for |a|², which is the same for all rows.
      distance: tf.sub(params.squares!, tf.mul(2, tf.matMul(input.queries as tf.Tensor2D, params.rows!, false, true))),
    }),
    batchSize: batch,
  });
  try {
    const indices = new Int32Array(queries.rows * k);
    const squared = new Float64Array(queries.rows * k);
    for (let from = 0; from < queries.rows; from += batch) {
      signal?.throwIfAborted();
      const some = takeRows(queries, rangeOf(from, Math.min(queries.rows, from + batch)));
      const asked = centred(some, centre);
      const lengths = squaredLengths(asked, d).map(Math.sqrt);
      const distances = await distancesOf(forward, asked, [some.rows, d]);
      const among = (q: number): Int32Array => {
        const own = distances.subarray(q * n, (q + 1) * n);
        if (self) own[from + q] = Infinity;
        const error = (ROUNDING + d * 2 ** -24) * 2 * lengths[q]! * longest + 2 ** -21 * longest ** 2;
        return rowsWithin(own, kthSmallest(own, k) + 2 * error, self ? from + q : -1);
      };
      const found = nearestNeighbours(base, some, k, { among });
      indices.set(found.indices, from * k);
      squared.set(found.squared, from * k);
    }
    return { k, indices, squared };
  } finally {
    forward.dispose();
  }
}

async function distancesOf(forward: CompiledForward, values: Float32Array, shape: number[]): Promise<Float32Array> {
  const { distance } = await forward.run({ queries: { dtype: 'float32', shape, values } });
  return distance!.values as Float32Array;
}

const rangeOf = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Rows about the centre: lengths, and with them the rounding, are then no larger than they must be. */
const centred = ({ rows, cols, data }: NumberMatrix, centre: Float64Array): Float32Array =>
  Float32Array.from({ length: rows * cols }, (_, i) => data[i]! - centre[i % cols]!);

function squaredLengths(values: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: values.length / width }, (_, row) => {
    let sum = 0;
    for (let j = row * width; j < (row + 1) * width; j++) sum += values[j]! ** 2;
    return sum;
  });
}

function kthSmallest(values: Float32Array, k: number): number {
  const least = new Float64Array(k).fill(Infinity);
  for (const value of values) {
    if (!(value < least[k - 1]!)) continue;
    let place = k - 1;
    while (place > 0 && least[place - 1]! > value) {
      least[place] = least[place - 1]!;
      place--;
    }
    least[place] = value;
  }
  return least[k - 1]!;
}

/** Rows not farther than that, all those whose distance is beyond single precision among them. */
function rowsWithin(distances: Float32Array, most: number, but: number): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < distances.length; row++) if (!(distances[row]! > most) && row !== but) rows.push(row);
  return Int32Array.from(rows);
}
