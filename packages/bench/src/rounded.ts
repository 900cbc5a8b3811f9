/** A number with so many digits behind the point. */
export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A time to three digits, whatever its size. */
export const threeDigits = (value: number): number => Number(value.toPrecision(3));
