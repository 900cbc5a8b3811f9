import type { Figure } from '@hourglass/artifacts';
import type { ReductionMetrics } from './metrics-schema.ts';
import type { PlaneMap } from './score-reduction.ts';

/** Classes told apart by colour; more look alike. */
const MOST_COLOURS = 20;

/** Error by size beside PCA, and the rows on a plane. */
export function reductionFigures({ curve, columns }: ReductionMetrics, map: PlaneMap | undefined): Figure[] {
  const figures: Figure[] = [
    {
      id: 'error',
      title: `Squared error of a row by dimensions, of ${columns} columns`,
      format: 'vega-lite',
      spec: {
        $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
        data: {
          values: curve.flatMap(({ d, squaredError, pca }) => [
            { d, method: 'autoencoder', squaredError },
            { d, method: 'PCA', squaredError: pca.squaredError },
          ]),
        },
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'd', type: 'quantitative', title: 'dimensions', axis: { tickMinStep: 1 } },
          y: { field: 'squaredError', type: 'quantitative', title: 'squared error of a row' },
          color: { field: 'method', type: 'nominal', title: null },
        },
      },
    },
  ];
  if (map) figures.push(mapFigure(map));
  return figures;
}

function mapFigure({ points, latents, labels }: PlaneMap): Figure {
  const coloured = labels !== undefined && new Set(labels).size <= MOST_COLOURS;
  const axis = (k: number): string => (latents ? `z_${k}` : `component ${k} of the latents`);
  return {
    id: 'map',
    title: latents ? 'Rows by their first two latents' : 'Rows by the first two principal components of their latents',
    format: 'vega-lite',
    spec: {
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      data: {
        values: Array.from({ length: points.length / 2 }, (_, i) => ({
          x: rounded(points[2 * i]!),
          y: rounded(points[2 * i + 1]!),
          ...(coloured ? { class: labels[i]! } : {}),
        })),
      },
      mark: { type: 'circle', size: 18, opacity: 0.7 },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: axis(1) },
        y: { field: 'y', type: 'quantitative', title: axis(2) },
        ...(coloured ? { color: { field: 'class', type: 'nominal', scale: { scheme: 'category20' } } } : {}),
      },
    },
  };
}

const rounded = (value: number): number => Number(value.toPrecision(5));
