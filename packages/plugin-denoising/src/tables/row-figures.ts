import type { Figure } from '@hourglass/artifacts';

/** Columns drawn at most, those with the largest error of ours. */
const MOST = 40;

/** Error of each column: noisy, by each method, and ours. */
export function rowFigures(columns: ({ name: string; answer: number } & Record<string, string | number>)[]): Figure[] {
  const drawn = columns.toSorted((a, b) => b.answer - a.answer).slice(0, MOST);
  return [
    {
      id: 'columns',
      title: `Error of each column, in its deviations${columns.length > MOST ? `: the ${MOST} of ${columns.length} with the largest` : ''}`,
      format: 'vega-lite',
      spec: {
        $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
        data: {
          values: drawn.flatMap(({ name, ...errors }) =>
            Object.entries(errors).map(([method, error]) => ({
              column: name,
              method,
              error: Number(Number(error).toPrecision(5)),
            })),
          ),
        },
        mark: { type: 'point', filled: true, size: 50 },
        encoding: {
          y: { field: 'column', type: 'nominal', sort: drawn.map(({ name }) => name), title: null },
          x: { field: 'error', type: 'quantitative', title: 'RMSE in deviations of the column' },
          color: { field: 'method', type: 'nominal', title: null },
        },
      },
    },
  ];
}
