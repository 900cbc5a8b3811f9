import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

/** Nearest rows of a base to many queries, for bases of thousands of rows and tens of columns. */
export interface NeighbourIndex {
  rows: number;
  cols: number;
  /**
   * The `k` nearest rows of each query, nearest first; of equally near ones the first row wins.
   * @param self - the queries are the base's own rows: none is its own neighbour @default false
   * @throws DATA_INSUFFICIENT when there are fewer rows than `k`
   * @throws CALL_INVALID when the widths differ
   */
  query(queries: NumberMatrix, k: number, self?: boolean): { k: number; indices: Int32Array; squared: Float64Array };
}

/** Rows of a leaf are compared one by one: below this, splitting further costs more than it saves. */
const LEAF = 8;

/**
 * Exact nearest neighbours by Euclidean distance with a k-d tree: each node splits its rows at the median of the column
 * that varies most, and knows the box its rows lie in: where rows crowd together or tails are long, boxes exclude far more
 * than the cuts alone.
 * @see Friedman, Bentley, Finkel: An Algorithm for Finding Best Matches in Logarithmic Expected Time. TOMS 3(3), 1977
 */
export function neighbourIndex({ rows, cols, data }: NumberMatrix): NeighbourIndex {
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  // Nodes in preorder; a leaf has axis −1.
  const axis: number[] = [];
  const right: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  /** Lowest, then highest value of each column among a node's rows: `2 · cols` numbers a node. */
  const boxes: number[] = [];
  build(0, rows);
  const box = Float64Array.from(boxes);
  // Rows in the tree's order lie side by side in memory.
  const points = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) points[i * cols + j] = data[order[i]! * cols + j]!;

  /** The column that is farthest from its mean on average: the range would follow single far values. −1: all rows equal. */
  function mostVaried(node: number, start: number, end: number): number {
    let widest = -1;
    let most = 0;
    for (let j = 0; j < cols; j++) {
      // The mean of equal values may be off by rounding.
      if (boxes[node * 2 * cols + j] === boxes[node * 2 * cols + cols + j]) continue;
      let mean = 0;
      for (let i = start; i < end; i++) mean += data[order[i]! * cols + j]!;
      mean /= end - start;
      let away = 0;
      for (let i = start; i < end; i++) away += Math.abs(data[order[i]! * cols + j]! - mean);
      if (away > most) {
        most = away;
        widest = j;
      }
    }
    return widest;
  }

  function build(start: number, end: number): number {
    const node = axis.length;
    axis.push(-1);
    right.push(-1);
    from.push(start);
    to.push(end);
    const at0 = boxes.length;
    for (let j = 0; j < cols; j++) {
      let low = Infinity;
      let high = -Infinity;
      for (let i = start; i < end; i++) {
        const value = data[order[i]! * cols + j]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      boxes[at0 + j] = low;
      boxes[at0 + cols + j] = high;
    }
    if (end - start <= LEAF) return node;
    const widest = mostVaried(node, start, end);
    if (widest < 0) return node; // All rows are equal.
    const slice = order.subarray(start, end);
    slice.sort((a, b) => data[a * cols + widest]! - data[b * cols + widest]! || a - b);
    let middle = (start + end) >> 1;
    const at = (i: number): number => data[order[i]! * cols + widest]!;
    // Equal values stay on one side, so that "left < right" holds.
    while (middle < end && at(middle - 1) === at(middle)) middle++;
    if (middle === end) {
      middle = (start + end) >> 1;
      while (middle > start && at(middle - 1) === at(middle)) middle--;
    }
    axis[node] = widest;
    build(start, middle);
    right[node] = build(middle, end);
    return node;
  }

  return {
    rows,
    cols,
    query(queries, k, self = false) {
      const candidates = self ? rows - 1 : rows;
      if (queries.cols !== cols)
        throw new HourglassError(
          'CALL_INVALID',
          `neighbourIndex: the base has ${cols} columns, the queries have ${queries.cols}; pass matrices of one width`,
        );
      if (!Number.isInteger(k) || k < 1 || k > candidates)
        throw new HourglassError(
          'DATA_INSUFFICIENT',
          `neighbourIndex: ${k} neighbours asked among ${candidates} rows; ask for 1 to ${candidates}`,
        );
      const indices = new Int32Array(queries.rows * k);
      const squared = new Float64Array(queries.rows * k);
      const point = new Float64Array(cols);
      let base = 0;
      let found = 0;
      let worst = Infinity;
      let own = -1;

      const leaf = (node: number): void => {
        for (let i = from[node]!; i < to[node]!; i++) {
          const row = order[i]!;
          if (row === own) continue;
          let distance = 0;
          const start = i * cols;
          for (let j = 0; j < cols && distance <= worst; j++) {
            const difference = point[j]! - points[start + j]!;
            distance += difference * difference;
          }
          if (found === k && (distance > worst || (distance === worst && row > indices[base + k - 1]!))) continue;
          let place = found < k ? found++ : k - 1;
          while (
            place > 0 &&
            (squared[base + place - 1]! > distance ||
              (squared[base + place - 1] === distance && indices[base + place - 1]! > row))
          ) {
            squared[base + place] = squared[base + place - 1]!;
            indices[base + place] = indices[base + place - 1]!;
            place--;
          }
          squared[base + place] = distance;
          indices[base + place] = row;
          if (found === k) worst = squared[base + k - 1]!;
        }
      };
      /** Squared distance from the point to a node's box: in the order of a row's, so that rounding keeps it below. */
      const away = (node: number): number => {
        const low = node * 2 * cols;
        let sum = 0;
        for (let j = 0; j < cols && sum <= worst; j++) {
          const value = point[j]!;
          const beyond =
            value < box[low + j]!
              ? box[low + j]! - value
              : value > box[low + cols + j]!
                ? value - box[low + cols + j]!
                : 0;
          sum += beyond * beyond;
        }
        return sum;
      };
      const visit = (node: number): void => {
        if (axis[node]! < 0) return leaf(node);
        const [left, other] = [node + 1, right[node]!];
        const toLeft = away(left);
        const toOther = away(other);
        if (toLeft <= toOther) {
          if (toLeft <= worst) visit(left);
          if (toOther <= worst) visit(other);
        } else {
          if (toOther <= worst) visit(other);
          if (toLeft <= worst) visit(left);
        }
      };

      for (let q = 0; q < queries.rows; q++) {
        for (let j = 0; j < cols; j++) point[j] = queries.data[q * cols + j]!;
        base = q * k;
        found = 0;
        worst = Infinity;
        own = self ? q : -1;
        visit(0);
      }
      return { k, indices, squared };
    },
  };
}
