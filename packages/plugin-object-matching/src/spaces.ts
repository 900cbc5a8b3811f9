import { encodeTable, type Model, type Predictor } from '@hourglass/autoencoder';
import type { Table } from '@hourglass/dataset';
import { fitPca, pcaTransform, type NumberMatrix, type Pca } from '@hourglass/metrics';

/** Rows as three spaces see them: latents, principal components, numbers. */
export interface Spaces {
  latent: NumberMatrix;
  pca: NumberMatrix;
  raw: NumberMatrix;
}

/**
 * A map of rows into the three spaces; components are fitted on `gallery`. Numbers as the model normalises them, missing
 * ones at 0, which is their mean.
 */
export function spacesOf(model: Model, answer: Predictor, gallery: Table): (table: Table) => Promise<Spaces> {
  const d = model.description.network.latentDim;
  let pca: Pca | undefined;
  const rawOf = (table: Table): NumberMatrix => {
    const { x, rows } = encodeTable(model.encoder, table);
    return { rows, cols: x.length / rows, data: x };
  };
  return async (table) => {
    const raw = rawOf(table);
    pca ??= fitPca(rawOf(gallery), Math.min(d, raw.cols, gallery.rows));
    return {
      latent: { rows: table.rows, cols: d, data: await answer.latents(encodeTable(model.encoder, table)) },
      pca: { rows: table.rows, cols: pca.k, data: pcaTransform(pca, raw) },
      raw,
    };
  };
}

/** The first `size` columns, or all where there are fewer. */
export function firstColumns({ rows, cols, data }: NumberMatrix, size: number): NumberMatrix {
  const width = Math.min(size, cols);
  if (width === cols) return { rows, cols, data };
  const taken = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) taken[i * width + j] = data[i * cols + j]!;
  return { rows, cols: width, data: taken };
}
