/** Some rows of a row-major array `[n, width]`, in the order given. */
export function takeCells<A extends Float64Array | Float32Array | Int32Array>(
  values: A,
  width: number,
  rows: ArrayLike<number>,
): A {
  const taken = new (values.constructor as new (length: number) => A)(rows.length * width);
  for (let i = 0; i < rows.length; i++) taken.set(values.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  return taken;
}
