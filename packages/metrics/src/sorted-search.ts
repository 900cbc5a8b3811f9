/** Index of the first value that is not below. @param sorted ascending */
export const lowerBound = (sorted: ArrayLike<number>, value: number): number =>
  firstWhere(sorted, (other) => other >= value);

/** Index of the first value that is above. @param sorted ascending */
export const upperBound = (sorted: ArrayLike<number>, value: number): number =>
  firstWhere(sorted, (other) => other > value);

function firstWhere(sorted: ArrayLike<number>, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
