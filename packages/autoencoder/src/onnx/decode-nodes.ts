import type { OnnxModelBuilder } from '@hourglass/engine';
import type { CategoryEncoder, ColumnEncoder, NumberEncoder, VectorEncoder } from '../columns/encoder.ts';
import { normaliseNodes } from './normalise.ts';
import { cast, type RawColumn } from './raw-column.ts';

const DAY = 86_400_000;

/** The network's answer as names of the graph: `values` `[rows, p]`, `classes[k]` `[rows, n_k]`. */
export interface AnswerNodes {
  values?: string;
  classes: string[];
}

/**
 * Nodes that do what `decodeTable` does: each column's answer `[rows, width]` in the type of its input.
 * @param exact keep fractions of whole numbers (as doubles) and values out of the observed range
 */
export function decodeNodes(
  graph: OnnxModelBuilder,
  columns: readonly RawColumn[],
  { values, classes }: AnswerNodes,
  exact: boolean,
): { name: string; from: string; dtype: RawColumn['dtype'] }[] {
  const numbers = columns.filter(({ encoder }) => encoder.kind === 'number');
  const valued = columns.filter(({ encoder }) => encoder.kind !== 'category');
  const p = valued.reduce((sum, { width }) => sum + width, 0);
  /** Where each column's answer begins among the values. */
  const starts = columns.map((_, j) => columns.slice(0, j).reduce((sum, { width }) => sum + width, 0));
  const cell = (j: number): string => slice(graph, values!, starts[j]!, columns[j]!.width, p);
  const units =
    numbers.length > 0
      ? normaliseNodes(
          graph,
          cast(graph, slice(graph, values!, 0, numbers.length, p), 'float64'),
          numbers.map(({ encoder }) => (encoder as NumberEncoder).map),
          'backward',
        )
      : '';
  return columns.map((column, j) => {
    const { encoder, name, dtype } = column;
    if (isEmpty(encoder)) return { name, dtype, from: missing(graph, column) };
    if (encoder.kind === 'category')
      return { name, dtype, from: category(graph, column, encoder, classes[j - valued.length]!) };
    if (encoder.kind === 'vector') {
      const { center, scale } = encoder;
      const scaled = graph.node('Mul', [cast(graph, cell(j), 'float64'), graph.scalar(scale, 'float64')]);
      const moved = graph.node('Add', [scaled, graph.tensor(center, [1, center.length])]);
      return exact
        ? { name, dtype: 'float64', from: moved }
        : { name, dtype, from: typed(graph, column, delivered(graph, encoder, moved)) };
    }
    if (encoder.kind === 'boolean')
      return exact ? { name, dtype: 'float32', from: cell(j) } : { name, dtype, from: boolean(graph, column, cell(j)) };
    const one = numbers.length === 1 ? units : graph.node('Gather', [units, graph.ints([j])], { axis: 1 });
    return exact
      ? { name, dtype: 'float64', from: one }
      : { name, dtype, from: typed(graph, column, delivered(graph, encoder, one)) };
  });
}

const isEmpty = (encoder: ColumnEncoder): boolean =>
  encoder.kind === 'number' ? encoder.empty : encoder.kind === 'category' && encoder.categories.length === 0;

/** `count` of `all` columns, from `start` on. */
const slice = (graph: OnnxModelBuilder, x: string, start: number, count: number, all: number): string =>
  count === all ? x : graph.node('Slice', [x, graph.ints([start]), graph.ints([start + count]), graph.ints([1])]);

/** A double in the type of its column. */
function typed(graph: OnnxModelBuilder, { dtype }: RawColumn, value: string): string {
  if (dtype === 'float64') return value;
  if (dtype === 'int64') return cast(graph, rounded(graph, value), 'int64');
  return cast(graph, value, dtype as 'float32' | 'bool');
}

/** Halves go up, as Math.round has it. */
const rounded = (graph: OnnxModelBuilder, value: string): string =>
  graph.node('Floor', [graph.node('Add', [value, graph.scalar(0.5, 'float64')])]);

/** In the table's way: whole where only whole numbers occurred, inside the observed range. */
function delivered(graph: OnnxModelBuilder, encoder: NumberEncoder | VectorEncoder, value: string): string {
  const scalar = (x: number): string => graph.scalar(x, 'float64');
  const unit = encoder.type === 'date' ? DAY : encoder.integer ? 1 : undefined;
  const whole =
    unit === undefined
      ? value
      : graph.node('Mul', [rounded(graph, graph.node('Div', [value, scalar(unit)])), scalar(unit)]);
  return graph.node('Max', [graph.node('Min', [whole, scalar(encoder.max)]), scalar(encoder.min)]);
}

function boolean(graph: OnnxModelBuilder, { dtype }: RawColumn, probability: string): string {
  const yes = graph.node('GreaterOrEqual', [probability, graph.scalar(0.5)]);
  return dtype === 'bool' ? yes : cast(graph, yes, 'float32');
}

/** The most probable category. */
function category(
  graph: OnnxModelBuilder,
  column: RawColumn,
  { categories, numeric }: CategoryEncoder,
  probabilities: string,
): string {
  const winner = graph.node('ArgMax', [probabilities], { axis: 1, keepdims: 1 });
  if (!numeric)
    return graph.mlNode('LabelEncoder', [winner], {
      keys_int64s: categories.map((_, k) => k),
      values_strings: { strings: categories },
    });
  const values = graph.tensor(Float64Array.from(categories, Number), [categories.length]);
  return typed(graph, column, graph.node('Gather', [values, winner], { axis: 0 }));
}

/** A column without a value in training stays missing. */
function missing(graph: OnnxModelBuilder, { name, dtype, missing: marker }: RawColumn): string {
  if (dtype === 'string')
    return graph.mlNode('LabelEncoder', [name], {
      keys_strings: { strings: [marker!] },
      values_strings: { strings: [marker!] },
      default_string: marker!,
    });
  const value =
    dtype === 'int64' ? graph.scalar(-(2 ** 63), 'int64') : graph.scalar(NaN, dtype === 'bool' ? 'float32' : dtype);
  return graph.node('Expand', [value, graph.node('Shape', [name])]);
}
