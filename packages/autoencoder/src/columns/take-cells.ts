import { copyRows } from '@hourglass/engine';

/** Some rows of a row-major array `[n, width]`, in the order given. */
export function takeCells<A extends Float64Array | Float32Array | Int32Array>(
  values: A,
  width: number,
  rows: ArrayLike<number>,
): A {
  const taken = new (values.constructor as new (length: number) => A)(rows.length * width);
  copyRows(values, taken, width, rows, 0, rows.length);
  return taken;
}
