/** Least and greatest value of a column, missing cells (NaN) aside. */
export interface ColumnRange {
  min: number;
  max: number;
}

/** Range over the cells that are there; `{min: NaN, max: NaN}` when none is. */
export function columnRange(values: ArrayLike<number>): ColumnRange {
  let min = Number.NaN;
  let max = Number.NaN;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (!(value >= min)) min = value;
    if (!(value <= max)) max = value;
  }
  return { min, max };
}

/** `(x − min) / (max − min)`; a constant column becomes `x − min`, so that it has one scale with the others: none. */
export function minMaxScale(values: ArrayLike<number>, { min, max }: ColumnRange): Float64Array {
  const width = max > min ? max - min : 1;
  const scaled = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) scaled[i] = (values[i]! - min) / width;
  return scaled;
}
