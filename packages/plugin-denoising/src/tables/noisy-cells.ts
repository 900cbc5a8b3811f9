import { deriveSeed } from '@hourglass/core';
import { drawNormal, drawUniform } from '@hourglass/engine';
import type { TableNoiseOptions } from '../noise-options.ts';

/**
 * Adds noise to a column, row `firstRow` of the table first; missing cells stay missing.
 * @param values the column @param scale its deviation, the unit of the strength
 * @param strength of each row, by {@link rowLevels} @param name names the column's own draws
 */
export function noisyCells(
  values: Float64Array,
  scale: number,
  noise: TableNoiseOptions['noise'],
  strength: Float64Array,
  { seed, name, firstRow }: { seed: number; name: string; firstRow: number },
): Float64Array {
  const own = deriveSeed(seed, `noise/${name}`);
  const count = values.length;
  const address = (call: number) => ({ seed: own, domain: 'train' as const, step: 0, call });
  if (noise === 'gaussian') {
    const normal = drawNormal(address(0), count, firstRow);
    return values.map((value, i) => value + strength[i]! * scale * normal[i]!);
  }
  const draw = drawUniform(address(1), count, firstRow);
  const place = drawUniform(address(2), count, firstRow);
  const observed = values.filter((value) => !Number.isNaN(value));
  return values.map((value, i) =>
    !Number.isNaN(value) && draw[i]! < strength[i]! ? observed[Math.floor(place[i]! * observed.length)]! : value,
  );
}

/** Strength of each row's noise, the same for all its columns. */
export function rowLevels(
  level: TableNoiseOptions['level'],
  seed: number,
  firstRow: number,
  count: number,
): Float64Array {
  if (typeof level === 'number') return new Float64Array(count).fill(level);
  const [low, high] = level;
  const draws = drawUniform({ seed, domain: 'train', step: 0, call: 1 }, count, firstRow);
  return Float64Array.from(draws, (draw) => low + (high - low) * draw);
}
