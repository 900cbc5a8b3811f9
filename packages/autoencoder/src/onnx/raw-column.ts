import { HourglassError } from '@hourglass/core';
import { isSingle } from '@hourglass/dataset';
import type { OnnxModelBuilder, OnnxType } from '@hourglass/engine';
import type { ColumnEncoder, TableEncoder } from '../columns/encoder.ts';

/** A column as a model file takes it, `[rows, width]`. */
export interface RawColumn {
  encoder: ColumnEncoder;
  /** Name of the input: the column's. */
  name: string;
  dtype: Extract<OnnxType, 'float32' | 'float64' | 'int64' | 'bool' | 'string'>;
  /** 1; of a vector its length. */
  width: number;
  /** What stands for a missing cell; undefined where the type can say none. */
  missing: string | undefined;
}

/** Whole numbers say "missing" by the smallest one, as NumPy's NaT does: no column of whole numbers that fit a double has it. */
const MISSING_INT64 = '-9223372036854775808';

/**
 * Types of the inputs: FLOAT columns float, whole numbers and points in time int64, texts string, all other numbers
 * double. Vectors are float where that holds their elements, else double; missing ones are NaN throughout. Booleans are bool where no cell was missing in training, else float (0, 1, NaN).
 *
 * @throws MODEL_INCOMPATIBLE for columns whose codes a file cannot compute
 */
export function rawColumns({ columns, schema }: TableEncoder): RawColumn[] {
  const raw = (encoder: ColumnEncoder): Omit<RawColumn, 'width'> => {
    const { name, type } = encoder;
    if (encoder.kind === 'category' && encoder.buckets > 0)
      throw new HourglassError(
        'MODEL_INCOMPATIBLE',
        `column "${name}" has more categories than codes, its rare ones share codes by hash, which ONNX cannot compute; ` +
          `train with a larger maxCategories (now ${encoder.categories.length}), or leave the column out of learning: exclude: [${name}]`,
        { details: { column: name } },
      );
    if (encoder.kind === 'category' && !encoder.numeric) {
      // The empty text, unless that is a category of its own.
      const missing = encoder.categories.includes('') ? '<missing>' : '';
      return { encoder, name, dtype: 'string', missing };
    }
    const physical = schema.find((column) => column.name === name)?.physical ?? '';
    if (encoder.kind === 'vector')
      return { encoder, name, dtype: isSingle({ physical }) ? 'float32' : 'float64', missing: 'NaN' };
    if (type === 'boolean')
      return encoder.missing > 0
        ? { encoder, name, dtype: 'float32', missing: 'NaN' }
        : { encoder, name, dtype: 'bool', missing: undefined };
    if (type !== 'float') return { encoder, name, dtype: 'int64', missing: MISSING_INT64 };
    return { encoder, name, dtype: physical === 'FLOAT' ? 'float32' : 'float64', missing: 'NaN' };
  };
  return columns.map((encoder) => ({ ...raw(encoder), width: encoder.kind === 'vector' ? encoder.length : 1 }));
}

/** Element types as ONNX numbers them, for Cast. */
export const ELEMENT = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 } as const;

export const cast = (graph: OnnxModelBuilder, from: string, to: keyof typeof ELEMENT): string =>
  graph.node('Cast', [from], { to: ELEMENT[to] });

/** Values as doubles `[rows, width]`, NaN where missing or infinite. */
export function asDouble(graph: OnnxModelBuilder, { name, dtype }: RawColumn): string {
  const value = dtype === 'float64' ? name : cast(graph, name, 'float64');
  if (dtype === 'bool') return value;
  // −2⁶³ as a double is exact.
  const missing =
    dtype === 'int64'
      ? graph.node('Equal', [value, graph.scalar(-(2 ** 63), 'float64')])
      : graph.node('IsInf', [dtype === 'float32' ? name : cast(graph, name, 'float32')]);
  return graph.node('Where', [missing, graph.scalar(NaN, 'float64'), value]);
}
