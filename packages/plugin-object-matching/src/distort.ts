import { realColumns, realMatrix, withReals, type TableEncoder } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import type { Table } from '@hourglass/dataset';
import { hostRandom, type HostRandom } from '@hourglass/engine';
import type { DistortionOptions } from './distortion-options.ts';

/**
 * The rows once for each distortion asked for, as the same objects seen in another way. Categories and other columns stay.
 * @throws OPTION_INVALID when `shape` is not that of the learned numbers, or is missing where pixels are shifted
 */
export function distortions(
  stage: string,
  { columns }: TableEncoder,
  table: Table,
  options: DistortionOptions,
  seed: number,
): { name: string; table: Table }[] {
  const reals = realColumns(columns);
  const p = reals.length;
  const { noise, occlusion, shift, shape } = options;
  if (shape && shape[0] * shape[1] !== p)
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: shape ${shape.join(' × ')} has ${shape[0] * shape[1]} pixels, the model learned ${p} numeric columns and elements of vectors; give the shape of the image they are, or leave it out`,
    );
  if (shift > 0 && !shape)
    throw new HourglassError('OPTION_INVALID', `${stage}: shift needs shape, the rows and columns of the image`);
  if (p === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: the model learned no numeric column, so nothing can be distorted; set noise: 0 and occlusion: 0`,
    );
  const values = realMatrix(table, reals).data;
  const made: { name: string; table: Table }[] = [];
  const distort = (name: string, change: (cells: Float64Array, random: HostRandom) => void): void => {
    const cells = Float64Array.from(values);
    change(cells, hostRandom(seed, made.length + 1));
    made.push({ name, table: withReals(table, reals, cells) });
  };
  if (noise > 0)
    distort('noise', (cells, random) => {
      const own = deviations(values, p);
      const pooled = Math.sqrt(own.reduce((sum, value) => sum + value ** 2 / p, 0));
      for (let i = 0; i < cells.length; i++) cells[i]! += noise * (shape ? pooled : own[i % p]!) * random.normal();
    });
  if (occlusion > 0)
    distort('occlusion', (cells, random) => {
      for (let i = 0; i < table.rows; i++)
        for (const j of patch(p, occlusion, shape, random)) {
          const { encoder } = reals[j]!;
          // A covered pixel is as dark as it gets; a hidden cell of a table is missing, a vector only as a whole.
          cells[i * p + j] = shape || encoder.kind === 'vector' ? encoder.min : Number.NaN;
        }
    });
  if (shift > 0 && shape)
    distort('shift', (cells, random) => {
      const [height, width] = shape;
      for (let i = 0; i < table.rows; i++) {
        const angle = Math.floor(random.uniform() * 8) * (Math.PI / 4);
        const [dy, dx] = [Math.round(Math.sin(angle)) * shift, Math.round(Math.cos(angle)) * shift];
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) {
            const inside = y - dy >= 0 && y - dy < height && x - dx >= 0 && x - dx < width;
            const j = y * width + x;
            cells[i * p + j] = inside ? values[i * p + (y - dy) * width + (x - dx)]! : reals[j]!.encoder.min;
          }
      }
    });
  return made;
}

/** Which numbers are covered: a run of neighbouring columns, or a square of the image. */
function patch(count: number, share: number, shape: [number, number] | undefined, random: HostRandom): number[] {
  if (!shape) {
    const length = Math.max(1, Math.round(count * share));
    const start = Math.floor(random.uniform() * (count - length + 1));
    return Array.from({ length }, (_, k) => start + k);
  }
  const [height, width] = shape;
  const side = Math.max(1, Math.round(Math.sqrt(count * share)));
  const top = Math.floor(random.uniform() * (Math.max(0, height - side) + 1));
  const left = Math.floor(random.uniform() * (Math.max(0, width - side) + 1));
  const covered: number[] = [];
  for (let y = top; y < Math.min(height, top + side); y++)
    for (let x = left; x < Math.min(width, left + side); x++) covered.push(y * width + x);
  return covered;
}

/** Deviation of each column of `[n, p]`, over the cells that are there. */
function deviations(values: Float64Array, p: number): number[] {
  return Array.from({ length: p }, (_, j) => {
    const there: number[] = [];
    for (let at = j; at < values.length; at += p) if (!Number.isNaN(values[at]!)) there.push(values[at]!);
    const mean = there.reduce((sum, value) => sum + value / there.length, 0);
    return Math.sqrt(there.reduce((sum, value) => sum + (value - mean) ** 2 / there.length, 0));
  });
}
