import type { OnnxModelBuilder } from '@hourglass/engine';
import { cycleMilliseconds } from '../columns/dates.ts';
import {
  FIRST_CATEGORY,
  MISSING_CODE,
  UNKNOWN_CODE,
  type CategoryEncoder,
  type ColumnEncoder,
  type NumberEncoder,
  type VectorEncoder,
} from '../columns/encoder.ts';
import { normaliseNodes } from './normalise.ts';
import { asDouble, cast, type RawColumn } from './raw-column.ts';

/** What the network takes, as names of the graph; absent as in a batch. See EncodedTable. */
export interface EncodedNodes {
  x?: string;
  w: string;
  codes?: string;
  cycles?: string;
  /** By column: bool `[rows, 1]`, true where the cell is observed; a vector is one cell. */
  observed: string[];
}

/** Nodes that do what `encodeTable` does, on raw columns. */
export function encodeNodes(graph: OnnxModelBuilder, columns: readonly RawColumn[]): EncodedNodes {
  const doubles = columns.map((column) => (column.dtype === 'string' ? undefined : asDouble(graph, column)));
  const codes = columns.map(({ encoder, name, missing }, j) =>
    encoder.kind !== 'category'
      ? undefined
      : doubles[j] === undefined
        ? textCodes(graph, encoder, name, missing!)
        : numberCodes(graph, encoder, doubles[j]),
  );
  const first = (j: number): string =>
    columns[j]!.width === 1 ? doubles[j]! : graph.node('Gather', [doubles[j]!, graph.ints([0])], { axis: 1 });
  const observed = columns.map((_, j) =>
    codes[j] === undefined
      ? graph.node('Not', [graph.node('IsNaN', [first(j)])])
      : graph.node('Greater', [codes[j], graph.scalar(MISSING_CODE, 'int64')]),
  );
  const known = (j: number): string => graph.node('Where', [observed[j]!, doubles[j]!, graph.scalar(0, 'float64')]);
  const of = (kind: ColumnEncoder['kind']): number[] =>
    columns.flatMap(({ encoder }, j) => (encoder.kind === kind ? [j] : []));
  const numbers = of('number');
  const parts: string[] = [];
  if (numbers.length > 0) {
    const maps = numbers.map((j) => (columns[j]!.encoder as NumberEncoder).map);
    const normalised = normaliseNodes(graph, joined(graph, numbers.map(known)), maps, 'forward');
    const mask = joined(
      graph,
      numbers.map((j) => observed[j]!),
    );
    parts.push(graph.node('Where', [mask, cast(graph, normalised, 'float32'), graph.scalar(0)]));
  }
  for (const j of of('vector')) {
    const { center, scale } = columns[j]!.encoder as VectorEncoder;
    const centred = graph.node('Sub', [doubles[j]!, graph.tensor(center, [1, center.length])]);
    const moved = cast(graph, graph.node('Div', [centred, graph.scalar(scale, 'float64')]), 'float32');
    parts.push(graph.node('Where', [observed[j]!, moved, graph.scalar(0)]));
  }
  parts.push(...of('boolean').map((j) => cast(graph, known(j), 'float32')));

  const cycles = columns.flatMap(({ encoder }, j) =>
    encoder.kind === 'number'
      ? encoder.cycles.flatMap((cycle) => cycleNodes(graph, doubles[j]!, observed[j]!, cycle))
      : [],
  );
  const chosen = codes.filter((code) => code !== undefined);
  const weights = graph.tensor(
    Float32Array.from(columns, ({ encoder }) => encoder.weight),
    [1, columns.length],
  );
  return {
    ...(parts.length > 0 ? { x: joined(graph, parts) } : {}),
    w: graph.node('Mul', [cast(graph, joined(graph, observed), 'float32'), weights]),
    ...(chosen.length > 0 ? { codes: cast(graph, joined(graph, chosen), 'int32') } : {}),
    ...(cycles.length > 0 ? { cycles: joined(graph, cycles) } : {}),
    observed,
  };
}

const joined = (graph: OnnxModelBuilder, parts: readonly string[]): string =>
  parts.length === 1 ? parts[0]! : graph.node('Concat', [...parts], { axis: 1 });

/** Codes int64 `[rows, 1]` of texts. */
function textCodes(graph: OnnxModelBuilder, { categories }: CategoryEncoder, name: string, missing: string): string {
  return graph.mlNode('LabelEncoder', [name], {
    keys_strings: { strings: [missing, ...categories] },
    values_int64s: [MISSING_CODE, ...categories.map((_, k) => k + FIRST_CATEGORY)],
    default_int64: UNKNOWN_CODE,
  });
}

/** Codes int64 `[rows, 1]` of numbers that are names: each is compared with all of them. */
function numberCodes(graph: OnnxModelBuilder, { categories }: CategoryEncoder, value: string): string {
  const missing = graph.node('IsNaN', [value]);
  const unknown = graph.node('Where', [
    missing,
    graph.scalar(MISSING_CODE, 'int64'),
    graph.scalar(UNKNOWN_CODE, 'int64'),
  ]);
  if (categories.length === 0) return unknown;
  const equal = graph.node('Equal', [
    value,
    graph.tensor(Float64Array.from(categories, Number), [1, categories.length]),
  ]);
  const code = graph.node('ReduceMax', [
    graph.node('Mul', [cast(graph, equal, 'int64'), graph.ints(categories.map((_, k) => k + FIRST_CATEGORY))]),
    graph.ints([1]),
  ]);
  return graph.node('Max', [code, unknown]);
}

/** Sine and cosine of a cycle, float `[rows, 1]` each; 0 where missing. */
function cycleNodes(
  graph: OnnxModelBuilder,
  time: string,
  observed: string,
  cycle: NumberEncoder['cycles'][number],
): string[] {
  const period = graph.scalar(cycleMilliseconds(cycle), 'float64');
  const turn = graph.node('Div', [graph.node('Mod', [time, period], { fmod: 1 }), period]);
  const angle = graph.node('Mul', [turn, graph.scalar(2 * Math.PI, 'float64')]);
  // A cosine of doubles is not in every runtime; it is a sine a quarter of a turn ahead.
  return [angle, graph.node('Add', [angle, graph.scalar(Math.PI / 2, 'float64')])].map((at) =>
    graph.node('Where', [observed, cast(graph, graph.node('Sin', [at]), 'float32'), graph.scalar(0)]),
  );
}
