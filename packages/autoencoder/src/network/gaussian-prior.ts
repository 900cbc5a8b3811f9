import type { ParamArrays } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import { fitGaussian } from './gaussian-fit.ts';
import { chooseRidge } from './gaussian-ridge.ts';

/**
 * The normal of a table's numbers and booleans as frozen parameters; p columns of C learned ones.
 * @param entered - told what is done as it goes on; it may throw to stop it
 */
export async function gaussianPrior(
  { x, w, rows }: EncodedTable,
  p: number,
  entered?: (message: string) => Promise<void>,
): Promise<ParamArrays> {
  const columns = rows > 0 ? w.length / rows : p;
  const observed = new Uint8Array(rows * p);
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < p; j++) observed[row * p + j] = w[row * columns + j]! > 0 ? 1 : 0;
  const ridge = await chooseRidge(x, observed, p, (one) => entered?.(`few rows for ${p} columns: trying ridge ${one}`));
  const { mean, precision, scale } = await fitGaussian(x, observed, p, {
    ridge,
    entered: (round) => entered?.(`fitting the normal of ${p} columns: round ${round + 1}`),
  });
  return {
    'skip/mean': { shape: [p], values: Float32Array.from(mean) },
    'skip/precision': { shape: [p, p], values: Float32Array.from(precision) },
    'skip/scale': { shape: [p], values: Float32Array.from(scale) },
  };
}
