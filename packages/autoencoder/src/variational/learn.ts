import { deriveSeed, HourglassError } from '@hourglass/core';
import { sampleRows, type DatasetReader, type Table } from '@hourglass/dataset';
import { gatherRows, permutation, type DataArray, type Engine, type ParamArrays } from '@hourglass/engine';
import { tableLayout, type TableEncoder } from '../columns/encoder.ts';
import { encodeTable, type EncodedTable } from '../columns/encode.ts';
import { fitTable, type FitOptions } from '../columns/fit.ts';
import { refuseOption } from '../model/refuse-option.ts';
import type { VariationalArchitecture } from '../network/architectures.ts';
import type { ImageShape } from '../network/image-shape.ts';
import type { NetworkSpec } from '../network/network.ts';
import type { Trained, TrainingOptions } from '../training/task.ts';
import { train, type TrainingHooks } from '../training/train.ts';
import { columnHead, headSpec, type ColumnHead, type Decoder } from './heads.ts';
import { BETA, variationalLoss } from './loss.ts';
import { fitModes } from './modes.ts';
import { variationalNetwork, type VariationalNetwork } from './network.ts';
import { betaSchedule, type BetaSchedule } from './beta.ts';
import { comparedRows } from './targets.ts';

export interface VariationalOptions
  extends
    Pick<FitOptions, 'columns' | 'exclude' | 'categorical' | 'maxCategories'>,
    Omit<TrainingOptions, 'seed'>,
    BetaSchedule {
  architecture: VariationalArchitecture;
  /** conv: rows and columns of the image that the list of numbers is. */
  shape?: ImageShape;
  latentDim: number;
  width: number;
  blocks: number;
  dropout: number;
  /** Components of a numeric column's mixture at most. */
  modes: number;
  /** How elements of lists of numbers are distributed. */
  decoder: Decoder;
  /** Nats a latent dimension may hold unpressed. */
  freeBits: number;
  /** Share of cells the encoder sees of another row while training. */
  swapRate: number;
  validationFraction: number;
  maxRows: number;
}

/** A table made ready for a variational autoencoder. Equal for equal inputs. */
export interface VariationalLesson {
  options: VariationalOptions;
  seed: number;
  encoder: TableEncoder;
  heads: ColumnHead[];
  network: VariationalNetwork;
  /** The learned columns of the rows trained on and validated with. */
  table: Table;
  /** Its rows encoded. */
  encoded: EncodedTable;
  /** The same as the network takes them, with what it is compared with. */
  all: Record<string, DataArray>;
  train: Record<string, DataArray>;
  validation?: Record<string, DataArray>;
  shared: ParamArrays;
  notices: string[];
}

/** Validation by fewer rows would be noise. */
const FEWEST_HELD = 20;

/**
 * Columns, modes, network and split of a table.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID (text, too many categories), DATA_INSUFFICIENT
 */
export async function prepareVariational(
  reader: DatasetReader,
  options: VariationalOptions,
  seed: number,
): Promise<VariationalLesson> {
  const { columns, exclude, categorical, maxCategories } = options;
  const { encoder, notices } = await fitTable(reader, {
    columns,
    exclude,
    categorical,
    maxCategories,
    vectors: true,
  });
  for (const column of encoder.columns)
    if (column.kind === 'category' && column.buckets > 0)
      throw new HourglassError(
        'COLUMN_INVALID',
        `column "${column.name}" has more categories than the ${column.categories.length} of maxCategories, and the rarer ones could not be drawn by name; raise maxCategories, group the rare ones, or leave the column out: exclude: [${column.name}]`,
        { details: { column: column.name } },
      );
  const names = encoder.columns.map(({ name }) => name);
  const table = await sampleRows(reader, names, options.maxRows);
  if (table.rows < reader.rows)
    notices.push(`trained on a sample of ${table.rows} of ${reader.rows} rows (maxRows: ${options.maxRows})`);
  const heads = encoder.columns.map((column) => {
    const data = table.columns[column.name];
    if (column.kind !== 'number' || data?.kind !== 'numeric') return columnHead(column, undefined, options.decoder);
    const sorted = data.values.filter((value) => !Number.isNaN(value)).sort();
    return columnHead(column, fitModes(sorted, { modes: options.modes }), options.decoder);
  });
  const spec: NetworkSpec = {
    kind: 'variational',
    architecture: options.architecture,
    ...(options.architecture === 'conv' ? { image: imageOf(options, heads) } : {}),
    layout: tableLayout(encoder),
    latentDim: options.latentDim,
    width: options.width,
    blocks: options.blocks,
    dropout: options.dropout,
    skip: 'none',
    heads: heads.map(headSpec),
  };
  const network = variationalNetwork(spec);
  const encoded = encodeTable(encoder, table);
  const all = comparedRows(encoder, heads, network.order, encoded, table);
  const shuffled = permutation(table.rows, deriveSeed(seed, 'validation'), 0);
  const held = Math.floor(table.rows * options.validationFraction);
  const enough = held >= FEWEST_HELD;
  if (options.validationFraction > 0 && !enough)
    notices.push(`too few rows to put ${options.validationFraction} aside for validation: all epochs are trained`);
  return {
    options,
    seed,
    encoder,
    heads,
    network,
    table,
    encoded,
    all,
    train: enough ? takeArrays(all, shuffled.slice(held).sort()) : all,
    ...(enough ? { validation: takeArrays(all, shuffled.slice(0, held).sort()) } : {}),
    shared: await network.prior(encoded, encoder.columns),
    notices,
  };
}

/** @throws OPTION_INVALID where convolutions have no image to see */
function imageOf({ shape }: VariationalOptions, heads: readonly ColumnHead[]): ImageShape {
  const lists = heads.flatMap(({ vector }) => (vector ? [vector.length] : []));
  const [length = 0] = lists;
  const refuse = (why: string): never => refuseOption('architecture', `conv: ${why}`);
  if (!shape) return refuse('needs shape, the rows and columns of the image that the list of numbers is');
  const [height, width] = shape;
  if (lists.length !== 1 || length % (height * width) !== 0)
    return refuse(
      `shape ${height} × ${width} needs one column of lists of ${height * width} numbers, or of as many for each colour, found ${
        lists.length === 0 ? 'none' : `lists of ${lists.join(', ')}`
      }; give the shape of the image, and exclude other lists`,
    );
  return shape;
}

/** Trains the network of a lesson: minimises reconstruction + β · KL, keeping the weights best at the final β. */
export async function trainVariational(
  engine: Engine,
  { options, network, seed, shared, train: data, validation }: VariationalLesson,
  hooks: TrainingHooks,
): Promise<Trained> {
  const member = deriveSeed(seed, 'member/0');
  const beta = betaSchedule(options, options.epochs);
  const at = (value: number): Record<string, Float32Array> => ({ [BETA]: Float32Array.of(value) });
  const trained = await train(
    engine,
    {
      params: { ...shared, [BETA]: { shape: [1], values: Float32Array.of(beta(1)) }, ...network.init(member) },
      frozen: [...Object.keys(shared), BETA],
      data,
      validation,
      validationBatch: network.rowsAtOnce,
      scheduled: (epoch) => at(beta(epoch)),
      judged: at(options.beta),
      rowLoss: variationalLoss(network, options),
    },
    // Losses at the final β rise and fall while the present one is below: patience begins afterwards.
    { ...options, seed: member, patience: options.patience + options.warmup },
    hooks,
  );
  for (const name of [...Object.keys(shared), BETA]) delete trained.params[name];
  return trained;
}

/** Some rows of arrays of equal length, in the order given. */
const takeArrays = (data: Record<string, DataArray>, rows: ArrayLike<number>): Record<string, DataArray> =>
  Object.fromEntries(Object.entries(data).map(([name, array]) => [name, gatherRows(array, rows, 0, rows.length)]));
