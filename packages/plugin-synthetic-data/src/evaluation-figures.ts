import type { Figure } from '@hourglass/artifacts';
import type { ComparedColumn, TableSimilarity } from '@hourglass/metrics';
import type { ComparedTable } from './compared-table.ts';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
/** Columns drawn at most: the worst told. */
const MARGINALS = 12;
const HEATMAP = 30;
const BINS = 20;
const CATEGORIES = 12;

/** Points of the latent map: two coordinates each. */
export interface LatentMap {
  real: Float64Array;
  synthetic: Float64Array;
}

export function evaluationFigures(
  real: ComparedTable,
  synthetic: ComparedTable,
  { columns: scores, trend }: Pick<TableSimilarity, 'columns' | 'trend'>,
  map: LatentMap | undefined,
): Figure[] {
  const worst = Object.entries(scores)
    .sort(([, a], [, b]) => (Number.isNaN(a) ? 2 : a) - (Number.isNaN(b) ? 2 : b))
    .map(([name]) => name);
  const figures: Figure[] = [
    marginals(real, synthetic, worst.slice(0, MARGINALS)),
    trends(trend, worst.slice(0, HEATMAP)),
  ];
  if (map) figures.push(latents(map));
  return figures;
}

const marginals = (real: ComparedTable, synthetic: ComparedTable, names: string[]): Figure => ({
  id: 'marginals',
  title: 'Columns side by side, the worst told first',
  format: 'vega-lite',
  spec: {
    $schema: SCHEMA,
    data: {
      values: names.flatMap((column) => {
        const cells = binned(real.columns[column]!, synthetic.columns[column]!);
        return cells.flatMap(({ value, shares }, place) => [
          { column, place, value, rows: 'real', share: shares[0] },
          { column, place, value, rows: 'synthetic', share: shares[1] },
        ]);
      }),
    },
    facet: { field: 'column', type: 'nominal', sort: names, title: null },
    columns: 3,
    spec: {
      width: 220,
      height: 110,
      mark: { type: 'bar' },
      encoding: {
        x: {
          field: 'value',
          type: 'nominal',
          sort: { field: 'place' },
          title: null,
          axis: { labelLimit: 70, labelOverlap: true },
        },
        xOffset: { field: 'rows' },
        y: { field: 'share', type: 'quantitative', title: null },
        color: { field: 'rows', type: 'nominal', title: null },
      },
    },
    resolve: { scale: { x: 'independent', y: 'independent' } },
  },
});

const trends = (trend: TableSimilarity['trend'], names: string[]): Figure => ({
  id: 'pair-trends',
  title: 'How differently two columns hang together, 0 is alike',
  format: 'vega-lite',
  spec: {
    $schema: SCHEMA,
    data: {
      values: names.flatMap((a) =>
        names.filter((b) => b !== a).map((b) => ({ a, b, difference: rounded(1 - trend(a, b)) })),
      ),
    },
    mark: 'rect',
    encoding: {
      x: { field: 'a', type: 'nominal', title: null },
      y: { field: 'b', type: 'nominal', title: null },
      color: { field: 'difference', type: 'quantitative', scale: { domainMin: 0 } },
    },
  },
});

const latents = ({ real, synthetic }: LatentMap): Figure => ({
  id: 'latents',
  title: 'Rows by the first two principal components of their latents',
  format: 'vega-lite',
  spec: {
    $schema: SCHEMA,
    data: { values: [...points(real, 'real'), ...points(synthetic, 'synthetic')] },
    mark: { type: 'circle', size: 14, opacity: 0.5 },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: 'component 1' },
      y: { field: 'y', type: 'quantitative', title: 'component 2' },
      color: { field: 'rows', type: 'nominal', title: null },
    },
  },
});

const points = (xy: Float64Array, rows: string): object[] =>
  Array.from({ length: xy.length / 2 }, (_, i) => ({ x: rounded(xy[2 * i]!), y: rounded(xy[2 * i + 1]!), rows }));

const rounded = (value: number): number | null => (Number.isNaN(value) ? null : Number(value.toPrecision(4)));

/** Shares of both tables by value or bin, missing last. */
function binned(real: ComparedColumn, synthetic: ComparedColumn): { value: string; shares: [number, number] }[] {
  const label = real.kind === 'numeric' ? numberLabels(real.values) : categoryLabels(real);
  const counts = [real, synthetic].map((column) => {
    const of = new Map<string, number>();
    const rows = column.kind === 'numeric' ? column.values.length : column.codes.length;
    for (let row = 0; row < rows; row++) {
      const value = label.of(column, row);
      of.set(value, (of.get(value) ?? 0) + 1 / rows);
    }
    return of;
  });
  return label.values
    .filter((value) => counts.some((count) => count.has(value)))
    .map((value) => ({
      value,
      shares: counts.map((count) => rounded(count.get(value) ?? 0) ?? 0) as [number, number],
    }));
}

interface Labels {
  values: string[];
  of(column: ComparedColumn, row: number): string;
}

const MISSING = 'missing';
const OTHER = 'other';

function categoryLabels({ codes, categories }: Extract<ComparedColumn, { kind: 'category' }>): Labels {
  const counts = new Float64Array(categories.length);
  for (const code of codes) if (code >= 0) counts[code]!++;
  const common = [...categories.keys()]
    .sort((a, b) => counts[b]! - counts[a]!)
    .slice(0, CATEGORIES)
    .map((code) => categories[code]!);
  const known = new Set(common);
  return {
    values: [...common, OTHER, MISSING],
    of(column, row) {
      const { codes: cells, categories: names } = column as Extract<ComparedColumn, { kind: 'category' }>;
      if (cells[row]! < 0) return MISSING;
      const name = names[cells[row]!]!;
      return known.has(name) ? name : OTHER;
    },
  };
}

function numberLabels(values: Float64Array): Labels {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  // Quantiles at both ends, so that one far value does not squeeze all others into one bin.
  const low = known[Math.floor(0.005 * known.length)] ?? 0;
  const high = known[Math.floor(0.995 * (known.length - 1))] ?? 1;
  const width = (high - low) / BINS || 1;
  const labels = Array.from({ length: BINS }, (_, k) => String(Number((low + k * width).toPrecision(4))));
  return {
    values: [...new Set(labels), MISSING],
    of(column, row) {
      const value = (column as { values: Float64Array }).values[row]!;
      if (Number.isNaN(value)) return MISSING;
      return labels[Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)))]!;
    },
  };
}
