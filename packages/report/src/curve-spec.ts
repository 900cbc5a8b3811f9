import type { CurvePoint, TrainingCurve } from './run-report.ts';

/** Points a line is drawn with. */
const MOST_POINTS = 400;
const WIDTH = 440;

/**
 * Losses by epoch as a Vega-Lite specification: on a log scale where all are positive, the best epoch marked; the learning
 * rate below, where it was noted.
 *
 * @param labels names of the curves where several are laid over one another
 */
export function curveSpec(curves: readonly TrainingCurve[], labels?: readonly string[]): Record<string, unknown> {
  const several = curves.length > 1;
  const values = curves.flatMap(({ members }, c) =>
    members.flatMap((member, m) =>
      thinned(member).flatMap(({ epoch, loss, validationLoss }) =>
        (
          [
            ['training', loss],
            ['validation', validationLoss],
          ] as const
        ).flatMap(([kind, value]) =>
          isNumber(value) ? [{ epoch, loss: value, line: `${c}/${m}/${kind}`, kind, run: labels?.[c] ?? kind }] : [],
        ),
      ),
    ),
  );
  const shown = several
    ? values.filter(({ kind }) => kind === (has(values, 'validation') ? 'validation' : 'training'))
    : values;
  const positive = shown.every(({ loss }) => loss > 0);
  const best = curves.flatMap(({ members }) =>
    bestEpochs(members).map(({ epoch, validationLoss }) => ({ epoch, loss: validationLoss })),
  );
  const y = {
    field: 'loss',
    type: 'quantitative',
    scale: { type: positive ? 'log' : 'linear', zero: false, nice: false },
  };
  const x = { field: 'epoch', type: 'quantitative', axis: { tickMinStep: 1 } };
  const color = { field: several ? 'run' : 'kind', type: 'nominal', title: null, legend: { orient: 'top', offset: 4 } };
  const rates = ratesOf(curves, labels);
  // Where the rate is drawn below, its axis serves both.
  const above = rates.length > 0 ? { ...x, axis: { ...x.axis, labels: false, title: null } } : x;
  const losses = {
    width: WIDTH,
    height: 240,
    data: { values: shown },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 1.6, opacity: 0.85 },
        encoding: { x: above, y, detail: { field: 'line' }, color },
      },
      {
        data: { values: best },
        mark: { type: 'point', filled: true, size: 46, color: 'var(--ink)', tooltip: null },
        encoding: { x: above, y },
      },
    ],
  };
  if (rates.length === 0) return losses;
  const rate = {
    width: WIDTH,
    height: 64,
    data: { values: rates },
    mark: { type: 'line', strokeWidth: 1.6, opacity: 0.85, ...(several ? {} : { color: 'var(--c3)' }) },
    encoding: {
      x,
      y: { field: 'rate', type: 'quantitative', title: 'learning rate', axis: { format: '~g', tickCount: 3 } },
      detail: { field: 'line' },
      ...(several ? { color } : {}),
    },
  };
  return { vconcat: [losses, rate], spacing: 8, resolve: { scale: { x: 'shared' } } };
}

/** The epoch of the least validation loss of each network that was validated: whose weights were kept. */
export const bestEpochs = (members: readonly CurvePoint[][]): { epoch: number; validationLoss: number }[] =>
  members.flatMap((member) => {
    const known = member.flatMap(({ epoch, validationLoss }) =>
      isNumber(validationLoss) ? [{ epoch, validationLoss }] : [],
    );
    return known.length === 0 ? [] : [known.reduce((a, b) => (b.validationLoss < a.validationLoss ? b : a))];
  });

/** Members of an ensemble share one schedule: the one that trained longest shows it. */
function ratesOf(curves: readonly TrainingCurve[], labels: readonly string[] | undefined) {
  return curves.flatMap(({ members }, c) => {
    const longest = members.reduce<CurvePoint[]>((a, b) => (b.length > a.length ? b : a), []);
    return thinned(longest).flatMap(({ epoch, learningRate }) =>
      isNumber(learningRate) ? [{ epoch, rate: learningRate, line: c, run: labels?.[c] ?? '' }] : [],
    );
  });
}

function thinned(member: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.max(1, Math.ceil(member.length / MOST_POINTS));
  return member.filter((_, i) => i % every === 0 || i === member.length - 1);
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const has = (values: readonly { kind: string }[], kind: string): boolean => values.some((value) => value.kind === kind);
