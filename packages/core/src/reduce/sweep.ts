import { HourglassError } from '../error.ts';
import type { Json } from '../plan.ts';
import type { FanState, PointState } from '../state.ts';
import { failStage, judge } from './stage.ts';
import { pathOf, variablesOf } from './turn.ts';
import type { Execution, Site, Turn } from './turn.ts';
import { evaluate, ownValues } from './values.ts';

/** A point is through: it stays visible, with its score and whether `until` holds for it. */
export function pointSettled(turn: Turn, execution: Execution, fan: FanState): void {
  const { plan, key, body, frame } = execution;
  const { select, until } = plan.fanOut!;
  const point: PointState = {
    key: key!,
    value: body.item as Json,
    status: body.status as PointState['status'],
    ...(body.outputs ? { outputs: body.outputs } : {}),
    ...(body.metrics ? { metrics: body.metrics } : {}),
    ...(body.error ? { error: body.error } : {}),
  };
  if (body.status === 'done') {
    const extra = { ...variablesOf(execution), ...ownValues(plan, body) };
    const value = (text: string): unknown => {
      try {
        return evaluate(turn.state, frame, text, extra);
      } catch {
        return undefined;
      }
    };
    if (select) {
      const score = value(select.metric);
      point.score = typeof score === 'number' && Number.isFinite(score) ? score : null;
    }
    if (until !== undefined && value(until) === true) point.satisfied = true;
  }
  const keys = fan.pages[0]!.keys!;
  fan.points = [...fan.points!, point].sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
}

/** Every point is through: the first that satisfies `until`, else the best by `select`, gives the stage's outputs. */
export function selectPoint(turn: Turn, site: Site, fan: FanState): void {
  const { plan, state } = site;
  const { select, until } = plan.fanOut!;
  fan.status = 'folded';
  fan.pages = [];
  const points = fan.points!;
  let best = points.find((point) => point.satisfied);
  if (!best && select)
    for (const point of points) {
      if (typeof point.score !== 'number') continue;
      const better = !best || (select.mode === 'min' ? point.score < best.score! : point.score > best.score!);
      if (better) best = point;
    }
  if (!best) {
    const failed = points.find((point) => point.error)?.error;
    if (points.every((point) => point.error)) {
      const message = `${pathOf(site)}: all ${points.length} points failed. The first: ${failed?.message ?? ''}`;
      return failStage(turn, site, new HourglassError(failed!.code, message, { details: failed!.details }).toJSON());
    }
    const why = select ? `\`${select.metric}\` has no finite value for any of` : `\`${until}\` holds for none of`;
    const message = `${pathOf(site)}: no point can be selected: ${why} ${points.length} points (${points
      .map((p) => p.key)
      .join('; ')
      .slice(0, 200)}).`;
    return failStage(turn, site, new HourglassError('DATA_INSUFFICIENT', message).toJSON());
  }
  fan.selected = best.key;
  const tried = points.length < fan.total ? `, ${points.length} of ${fan.total} tried` : '';
  const unfit = points.filter((point) => point.error || (select && point.score === null && !point.satisfied)).length;
  state.note = `selected ${best.key}${typeof best.score === 'number' ? ` (${best.score})` : ''}${tried}${unfit ? `, ${unfit} failed or without a score` : ''}`;
  state.cache = fan.failed === 0 && fan.hits === fan.done ? 'hit' : 'miss';
  judge(turn, site, best.outputs ?? {}, best.metrics ?? {});
}
