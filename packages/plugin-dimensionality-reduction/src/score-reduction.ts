import {
  decodeTable,
  encodeTable,
  exactNeighbours,
  realColumns,
  realMatrix,
  takeTableRows,
  type Model,
  type Predictor,
  type RealColumn,
} from '@hourglass/autoencoder';
import { HourglassError, type StageOptions } from '@hourglass/core';
import type { ColumnData, Table } from '@hourglass/dataset';
import type { Engine } from '@hourglass/engine';
import {
  accuracy,
  columnMeans,
  evenly,
  fitPca,
  neighbourhoodScore,
  neighbourVotes,
  pcaReconstruct,
  pcaTransform,
  scoreReconstruction,
  takeRows,
  type NumberMatrix,
} from '@hourglass/metrics';
import type { evaluate } from './index.ts';
import type { ReductionMetrics } from './metrics-schema.ts';

/** Columns beyond which a PCA of more rows than that is not computed: it would take minutes. */
const WIDEST_PCA = 2048;

interface Scoring {
  engine: Engine;
  model: Model;
  answer: Predictor;
  data: Table;
  reference: Table;
  /** Sizes to measure, rising; the last is the whole latent. */
  dims: number[];
  options: StageOptions<typeof evaluate>;
}

/** Rows on a plane, for a figure. */
export interface PlaneMap {
  /** `[m, 2]` */
  points: Float64Array;
  /** True: the first two latents; false: principal components of the latents. */
  latents: boolean;
  labels?: string[];
}

/** Scores of the latents and of principal components: same rows, same units, same clipping. */
export async function scoreReduction(
  scoring: Scoring,
  progress: (fraction: number) => void,
): Promise<{ metrics: ReductionMetrics; map?: PlaneMap }> {
  const { model, answer, data, reference, dims, options } = scoring;
  const columns = realColumns(model.encoder.columns);
  if (columns.length === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      'dimensionality-reduction/evaluate: the model learned no numeric column, so there is no squared error to measure',
    );
  const xReference = realMatrix(reference, columns);
  const scale = scalesOf(columns, xReference, model, options.scale);
  divide(xReference, scale);
  const x = divide(realMatrix(data, columns), scale);
  const mean = columnMeans(xReference);
  fill(xReference, mean);
  const d = model.description.network.latentDim;
  const p = columns.length;
  if (p > WIDEST_PCA && reference.rows > WIDEST_PCA)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `dimensionality-reduction/evaluate: PCA of ${reference.rows} rows of ${p} columns would take too long; lower maxRows to ${WIDEST_PCA} or learn fewer columns`,
    );
  const k = Math.min(d, p, reference.rows - 1);
  const pca = fitPca(xReference, k);
  const latents = async (table: Table) => ({ rows: table.rows, cols: d, data: await latentsOf(model, answer, table) });
  const z = await latents(data);
  const components = { rows: data.rows, cols: k, data: pcaTransform(pca, fill(copyOf(x), mean)) };

  const clip = (values: Float64Array): Float64Array => {
    if (options.clip)
      for (let i = 0; i < values.length; i++) {
        const { min, max } = columns[i % p]!.encoder;
        const unit = scale[i % p]!;
        values[i] = Math.min(max / unit, Math.max(min / unit, values[i]!));
      }
    return values;
  };
  const curve: ReductionMetrics['curve'] = [];
  for (const [step, size] of dims.entries()) {
    progress((0.6 * step) / dims.length);
    const decoded = decodeTable(model.encoder, await answer.fromLatents(firstColumns(z, size)), { as: 'exact' });
    const ours = scoreReconstruction(x, clip(divide(realMatrix(decoded, columns), scale).data), mean);
    const theirs = pcaReconstruct(pca, firstColumns(components, Math.min(size, k)));
    curve.push({ d: size, ...orNulls(ours), pca: orNulls(scoreReconstruction(x, clip(theirs), mean)) });
  }
  progress(0.6);

  const { label, keepVariance } = options;
  const labels = label === undefined ? undefined : [reference, data].map((table) => classesOf(table.columns[label]!));
  if (labels && new Set(labels[0]).size < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `dimensionality-reduction/evaluate: expected at least two classes in the label column "${label}", found one only (${labels[0]![0]})`,
    );
  const sample = evenly(data.rows, options.neighbourRows);
  const near = fill(takeRows(x, sample), mean);
  const score = async (
    embedding: NumberMatrix,
    ofReference: () => Promise<NumberMatrix>,
  ): Promise<Pick<ReductionMetrics, 'trustworthiness' | 'continuity' | 'knnAccuracy'>> => ({
    ...(options.neighbours < sample.length / 2
      ? neighbourhoodScore(near, takeRows(embedding, sample), options.neighbours)
      : { trustworthiness: null, continuity: null }),
    knnAccuracy: labels ? await labelAccuracy(embedding, ofReference, labels as [string[], string[]], scoring) : null,
  });
  const ours = await score(z, () => latents(reference));
  progress(0.8);
  const theirs = await score(components, async () => ({
    rows: reference.rows,
    cols: k,
    data: pcaTransform(pca, xReference),
  }));
  const ratios = curve.filter((point) => point.d < p && point.pca.squaredError > 0);
  const smallest = (of: (point: (typeof curve)[number]) => number | null): number | null =>
    curve.find((point) => (of(point) ?? 0) >= keepVariance)?.d ?? null;
  const last = curve.at(-1)!;
  return {
    metrics: {
      d,
      rows: data.rows,
      columns: p,
      squaredError: last.squaredError,
      explainedVariance: last.explainedVariance,
      ...ours,
      worstRatio: ratios.length
        ? Math.max(...ratios.map((point) => point.squaredError / point.pca.squaredError))
        : null,
      smallest: smallest((point) => point.explainedVariance),
      baselines: { pca: { ...last.pca, ...theirs, smallest: smallest((point) => point.pca.explainedVariance) } },
      curve,
    },
    ...(d > 1
      ? { map: planeMap(takeRows(z, sample), model, labels?.[1] && Array.from(sample, (i) => labels[1]![i]!)) }
      : {}),
  };
}

/** Nearest neighbours among the reference's rows; among the other rows where the reference is the data itself. */
async function labelAccuracy(
  embedding: NumberMatrix,
  ofReference: () => Promise<NumberMatrix>,
  [base, asked]: [string[], string[]],
  { engine, data, reference, options }: Scoring,
): Promise<number> {
  const self = data === reference;
  const neighbours = await exactNeighbours(
    engine,
    self ? embedding : await ofReference(),
    embedding,
    Math.min(options.labelNeighbours, base.length - (self ? 1 : 0)),
    { self },
  );
  return accuracy(asked, neighbourVotes(neighbours, base));
}

function planeMap(z: NumberMatrix, model: Model, labels: string[] | undefined): PlaneMap {
  const latents = z.cols === 2 || model.description.options.ordered === true;
  const points = latents ? firstColumnsOnly(z, 2) : pcaTransform(fitPca(z, 2), z);
  return { points, latents, ...(labels ? { labels } : {}) };
}

/** What one unit of the error is, by column. */
function scalesOf(columns: RealColumn[], x: NumberMatrix, model: Model, asked: 'auto' | 'standard' | 'raw'): number[] {
  const raw = asked === 'raw' || (asked === 'auto' && model.description.options.normalisation === 'pooled');
  if (raw) return columns.map(() => 1);
  const own = columnDeviations(x, columnMeans(x));
  // Elements of a vector share a unit, and so one scale.
  const scale = (j: number): number => {
    const { encoder } = columns[j]!;
    if (encoder.kind !== 'vector') return own[j]!;
    return Math.sqrt(
      own.reduce((sum, value, k) => sum + (columns[k]!.encoder === encoder ? value ** 2 / encoder.length : 0), 0),
    );
  };
  const shared = new Map<RealColumn['encoder'], number>();
  return columns.map(({ encoder }, j) => {
    if (!shared.has(encoder)) shared.set(encoder, scale(j) || 1);
    return shared.get(encoder)!;
  });
}

/** Every column by its unit, in the matrix itself. */
function divide<M extends NumberMatrix & { data: Float64Array }>(x: M, scale: number[]): M {
  for (let i = 0; i < x.data.length; i++) x.data[i]! /= scale[i % x.cols]!;
  return x;
}

/** Deviations over the cells that are there. */
function columnDeviations({ rows, cols, data }: NumberMatrix, mean: Float64Array): Float64Array {
  const squares = new Float64Array(cols);
  const count = new Float64Array(cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const value = data[i * cols + j]!;
      if (Number.isNaN(value)) continue;
      count[j]!++;
      squares[j]! += (value - mean[j]!) ** 2;
    }
  return squares.map((sum, j) => Math.sqrt(sum / Math.max(1, count[j]!)));
}

/** PCA takes no missing cells: the column's mean stands for them, in the matrix itself. */
function fill<M extends NumberMatrix & { data: Float64Array }>(x: M, mean: Float64Array): M {
  for (let i = 0; i < x.data.length; i++) if (Number.isNaN(x.data[i])) x.data[i] = mean[i % x.cols]!;
  return x;
}

const copyOf = (x: NumberMatrix & { data: Float64Array }) => ({ ...x, data: x.data.slice() });

/** Rows encoded at a time: of a large table only the latents are held, not what the network sees. */
const CHUNK = 8192;

/** `[n, d]` */
async function latentsOf(model: Model, answer: Predictor, table: Table): Promise<Float32Array> {
  const d = model.description.network.latentDim;
  const z = new Float32Array(table.rows * d);
  for (let from = 0; from < table.rows; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, table.rows - from) }, (_, i) => from + i);
    z.set(await answer.latents(encodeTable(model.encoder, takeTableRows(table, rows), from)), from * d);
  }
  return z;
}

/** The first `size` columns; the others become 0. */
function firstColumns<M extends NumberMatrix>({ cols, data }: M, size: number): Float32Array {
  return Float32Array.from(data, (value, i) => (i % cols < size ? value : 0));
}

const firstColumnsOnly = ({ cols, data }: NumberMatrix, size: number): Float64Array =>
  Float64Array.from(Array.from(data).filter((_, i) => i % cols < size));

const classesOf = (data: ColumnData): string[] =>
  data.kind === 'numeric'
    ? Array.from(data.values, String)
    : Array.from(data.codes, (code) => (code < 0 ? 'missing' : data.categories[code]!));

const orNulls = ({ squaredError, explainedVariance }: { squaredError: number; explainedVariance: number }) => ({
  squaredError,
  explainedVariance: Number.isNaN(explainedVariance) ? null : explainedVariance,
});
