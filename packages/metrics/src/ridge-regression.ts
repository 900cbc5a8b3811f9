import { HourglassError } from '@hourglass/core';
import { dot } from './dot.ts';
import type { LinearModel } from './linear-model.ts';
import type { NumberMatrix } from './pca.ts';

export interface RidgeOptions {
  /** Steps at most. @default 200 */
  iterations?: number;
  /** Stop once the residual of the normal equations is this much smaller than at zero. @default 1e-8 */
  tolerance?: number;
  /** Where to begin, such as the solution for another penalty. @default zeros */
  start?: LinearModel;
}

/**
 * Linear regression that minimises ‖y − intercept − x · coefficients‖² + penalty · ‖coefficients‖², as scikit-learn's
 * `Ridge`: conjugate gradients on the normal equations, which are never written out, so that thousands of columns cost
 * what the rows cost. Bring the columns to one scale first.
 * @param y - `[n]`
 * @throws DATA_INSUFFICIENT for no rows
 * @see Hestenes, Stiefel: Methods of Conjugate Gradients for Solving Linear Systems. J. Res. NBS 49(6), 1952 (CGLS)
 */
export function fitRidge(
  x: NumberMatrix,
  y: ArrayLike<number>,
  penalty: number,
  { iterations = 200, tolerance = 1e-8, start }: RidgeOptions = {},
): LinearModel {
  const { rows: n, cols: p, data } = x;
  if (n === 0) throw new HourglassError('DATA_INSUFFICIENT', 'fitRidge: expected rows, found none');
  const meanX = new Float64Array(p);
  for (let i = 0; i < n; i++) for (let j = 0; j < p; j++) meanX[j]! += data[i * p + j]! / n;
  let meanY = 0;
  for (let i = 0; i < n; i++) meanY += y[i]! / n;

  /** (x − mean) · v, `[n]` */
  const times = (v: Float64Array): Float64Array => {
    const shift = dot(meanX, v);
    return Float64Array.from({ length: n }, (_, i) => {
      let sum = -shift;
      for (let j = 0; j < p; j++) sum += data[i * p + j]! * v[j]!;
      return sum;
    });
  };
  /** (x − mean)ᵀ · u, `[p]` */
  const transposed = (u: Float64Array): Float64Array => {
    const out = new Float64Array(p);
    let total = 0;
    for (let i = 0; i < n; i++) {
      total += u[i]!;
      for (let j = 0; j < p; j++) out[j]! += data[i * p + j]! * u[i]!;
    }
    for (let j = 0; j < p; j++) out[j]! -= meanX[j]! * total;
    return out;
  };

  const w = start ? start.coefficients.slice() : new Float64Array(p);
  const centred = Float64Array.from({ length: n }, (_, i) => y[i]! - meanY);
  const goal = tolerance ** 2 * squared(transposed(centred));
  const residual = centred;
  if (start) times(w).forEach((predicted, i) => (residual[i]! -= predicted));
  let gradient = transposed(residual).map((each, j) => each - penalty * w[j]!);
  let direction = gradient;
  let size = squared(gradient);
  for (let step = 0; step < iterations && size > goal && size > 0; step++) {
    const change = times(direction);
    const length = size / (squared(change) + penalty * squared(direction));
    for (let j = 0; j < p; j++) w[j]! += length * direction[j]!;
    for (let i = 0; i < n; i++) residual[i]! -= length * change[i]!;
    gradient = transposed(residual).map((each, j) => each - penalty * w[j]!);
    const next = squared(gradient);
    const keep = next / size;
    direction = gradient.map((each, j) => each + keep * direction[j]!);
    size = next;
  }
  return { coefficients: w, intercept: meanY - dot(meanX, w) };
}

const squared = (a: Float64Array): number => dot(a, a);
