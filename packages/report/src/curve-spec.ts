import type { TrainingCurve } from './run-report.ts';

/** Points a line is drawn with. */
const MOST_POINTS = 400;

/**
 * Losses by epoch as a Vega-Lite specification: on a log scale where all are positive, the best epoch marked.
 *
 * @param labels names of the curves where several are laid over one another
 */
export function curveSpec(curves: readonly TrainingCurve[], labels?: readonly string[]): Record<string, unknown> {
  const several = curves.length > 1;
  const values = curves.flatMap(({ members }, c) =>
    members.flatMap((member, m) => {
      const every = Math.max(1, Math.ceil(member.length / MOST_POINTS));
      return member
        .filter((_, i) => i % every === 0 || i === member.length - 1)
        .flatMap(({ epoch, loss, validationLoss }) =>
          (
            [
              ['training', loss],
              ['validation', validationLoss],
            ] as const
          ).flatMap(([kind, value]) =>
            typeof value === 'number' && Number.isFinite(value)
              ? [{ epoch, loss: value, line: `${c}/${m}/${kind}`, kind, run: labels?.[c] ?? kind }]
              : [],
          ),
        );
    }),
  );
  const shown = several
    ? values.filter(({ kind }) => kind === (has(values, 'validation') ? 'validation' : 'training'))
    : values;
  const positive = shown.every(({ loss }) => loss > 0);
  const best = curves.flatMap(({ members }) =>
    members.flatMap((member) => {
      const known = member.filter(({ validationLoss }) => Number.isFinite(validationLoss));
      if (known.length === 0) return [];
      const least = known.reduce((a, b) => (b.validationLoss! < a.validationLoss! ? b : a));
      return [{ epoch: least.epoch, loss: least.validationLoss }];
    }),
  );
  const y = {
    field: 'loss',
    type: 'quantitative',
    scale: { type: positive ? 'log' : 'linear', zero: false, nice: false },
  };
  const x = { field: 'epoch', type: 'quantitative', axis: { tickMinStep: 1 } };
  return {
    data: { values: shown },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 1.6, opacity: 0.85 },
        encoding: {
          x,
          y,
          detail: { field: 'line' },
          color: { field: several ? 'run' : 'kind', type: 'nominal', title: null, legend: { orient: 'bottom' } },
        },
      },
      {
        data: { values: best },
        mark: { type: 'point', filled: true, size: 46, color: 'var(--ink)', tooltip: null },
        encoding: { x, y },
      },
    ],
  };
}

const has = (values: readonly { kind: string }[], kind: string): boolean => values.some((value) => value.kind === kind);
