import type { OnnxModelBuilder } from '@hourglass/engine';
import type { Normaliser } from '../columns/normaliser.ts';

/**
 * Nodes that normalise (or denormalise) the columns of a double matrix `[rows, p]`, each by its own map, with the
 * arithmetic of `normalise` and `denormalise` in double: the results are the same.
 */
export function normaliseNodes(
  graph: OnnxModelBuilder,
  x: string,
  maps: readonly Normaliser[],
  direction: 'forward' | 'backward',
): string {
  const pick = (kind: Normaliser['kind']): number[] =>
    maps.flatMap((map, column) => (map.kind === kind ? [column] : []));
  const [straight, bent] = [pick('linear'), pick('knots')];
  const columns = (chosen: number[]): string =>
    chosen.length === maps.length ? x : graph.node('Gather', [x, graph.ints(chosen)], { axis: 1 });
  const row = (chosen: number[], value: (map: Normaliser) => number): string =>
    graph.tensor(
      Float64Array.from(chosen, (column) => value(maps[column]!)),
      [1, chosen.length],
    );
  const parts: string[] = [];
  if (straight.length > 0) {
    const center = row(straight, (map) => (map.kind === 'linear' ? map.center : 0));
    const scale = row(straight, (map) => (map.kind === 'linear' ? map.scale : 1));
    parts.push(
      direction === 'forward'
        ? graph.node('Div', [graph.node('Sub', [columns(straight), center]), scale])
        : graph.node('Add', [graph.node('Mul', [columns(straight), scale]), center]),
    );
  }
  if (bent.length > 0) {
    const knots = bent.map((column) => maps[column] as Extract<Normaliser, { kind: 'knots' }>);
    parts.push(interpolate(graph, columns(bent), knots, direction));
  }
  if (parts.length === 1) return parts[0]!;
  // Back to the order of the columns.
  const place = [...straight, ...bent];
  return graph.node(
    'Gather',
    [graph.node('Concat', parts, { axis: 1 }), graph.ints(maps.map((_, column) => place.indexOf(column)))],
    { axis: 1 },
  );
}

/** Piecewise linear maps of all columns at once: ten steps of binary search, whatever the number of columns. */
function interpolate(
  graph: OnnxModelBuilder,
  x: string,
  knots: readonly { x: Float64Array; z: Float64Array; slope: number }[],
  direction: 'forward' | 'backward',
): string {
  const from = knots.map((map) => (direction === 'forward' ? map.x : map.z));
  const to = knots.map((map) => (direction === 'forward' ? map.z : map.x));
  const steps = Math.ceil(Math.log2(Math.max(...from.map((values) => values.length))));
  const size = 2 ** steps;
  const p = knots.length;
  const table = (columns: readonly Float64Array[]): string => {
    const flat = new Float64Array(p * size).fill(Infinity);
    columns.forEach((values, column) => flat.set(values, column * size));
    return graph.tensor(flat, [p * size]);
  };
  const row = (values: number[]): string => graph.tensor(Float64Array.from(values), [1, p]);
  const places = (values: number[]): string => graph.node('Reshape', [graph.ints(values), graph.ints([1, p])]);
  const [keys, answers] = [table(from), table(to)];
  const start = places(from.map((_, column) => column * size));

  // Flat place of the last knot that is not above the value.
  let low = start;
  for (let step = size / 2; step >= 1; step /= 2) {
    const candidate = graph.node('Add', [low, graph.scalar(step, 'int64')]);
    const reached = graph.node('LessOrEqual', [graph.node('Gather', [keys, candidate], { axis: 0 }), x]);
    low = graph.node('Where', [reached, candidate, low]);
  }
  low = graph.node('Min', [low, places(from.map((values, column) => column * size + values.length - 2))]);
  const high = graph.node('Add', [low, graph.scalar(1, 'int64')]);
  const at = (values: string, index: string): string => graph.node('Gather', [values, index], { axis: 0 });
  const left = at(keys, low);
  const share = graph.node('Div', [graph.node('Sub', [x, left]), graph.node('Sub', [at(keys, high), left])]);
  const base = at(answers, low);
  const inside = graph.node('Add', [base, graph.node('Mul', [share, graph.node('Sub', [at(answers, high), base])])]);

  const slope = row(knots.map((map) => (direction === 'forward' ? map.slope : 1 / map.slope)));
  const beyond = (key: string, answer: string): string =>
    graph.node('Add', [answer, graph.node('Mul', [graph.node('Sub', [x, key]), slope])]);
  const ends = (pick: (values: Float64Array) => number): [string, string] => [row(from.map(pick)), row(to.map(pick))];
  const [first, firstTo] = ends((values) => values[0]!);
  const [last, lastTo] = ends((values) => values.at(-1)!);
  const above = graph.node('Where', [graph.node('GreaterOrEqual', [x, last]), beyond(last, lastTo), inside]);
  return graph.node('Where', [graph.node('LessOrEqual', [x, first]), beyond(first, firstTo), above]);
}
