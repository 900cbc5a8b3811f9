import type { ResizeAttrs } from '../ir/graph.ts';

const scale = (from: number, to: number, alignCorners: boolean): number =>
  alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;

/** For each of `to` cells the cell of `from` that is taken, as tfjs takes it. */
export function nearestIndices(from: number, to: number, { alignCorners, halfPixelCenters }: ResizeAttrs): Int32Array {
  const step = scale(from, to, alignCorners);
  return Int32Array.from({ length: to }, (_, i) => {
    const at = halfPixelCenters ? step * (i + 0.5) : step * i;
    return Math.max(0, Math.min(from - 1, alignCorners ? Math.round(at) : Math.floor(at)));
  });
}

/** Matrix `[to, from]` that resizes one axis. */
export function resizeMatrix(kind: 'nearest' | 'bilinear', from: number, to: number, attrs: ResizeAttrs): Float32Array {
  const matrix = new Float32Array(to * from);
  if (kind === 'nearest') {
    nearestIndices(from, to, attrs).forEach((source, i) => (matrix[i * from + source] = 1));
    return matrix;
  }
  const step = scale(from, to, attrs.alignCorners);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, attrs.halfPixelCenters ? step * (i + 0.5) - 0.5 : step * i);
    const low = Math.min(from - 1, Math.floor(at));
    const high = Math.min(from - 1, Math.ceil(at));
    matrix[i * from + low]! += 1 - (at - Math.floor(at));
    matrix[i * from + high]! += at - Math.floor(at);
  }
  return matrix;
}

/** `[to, from]` → `[from, to]`. */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j]!;
  return out;
}
