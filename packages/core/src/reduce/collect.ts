import type { ArtifactRef } from '../artifact.ts';
import { HourglassError } from '../error.ts';
import type { ErrorJson } from '../error.ts';
import type { CollectEntry, RunCommand } from '../event.ts';
import type { Json } from '../plan.ts';
import type { FanPage, FanState, Output } from '../state.ts';
import { overBudget } from './fan.ts';
import { failStage, judge, settle } from './stage.ts';
import { selectPoint } from './sweep.ts';
import { fresh, pathOf, writable } from './turn.ts';
import type { Site, Turn } from './turn.ts';

type Collect = Extract<RunCommand, { type: 'collect' }>;

/** All items of a page have settled: what they gave becomes one artifact an output, and the items are dropped. */
export function foldPage(turn: Turn, site: Site, at: number): void {
  const { plan, state } = site;
  if (plan.fanOut!.kind === 'sweep') return;
  const fan = writable(turn, state, 'fan');
  const page = writable(turn, writable(turn, fan, 'pages'), at);
  if (page.status !== 'open') return;
  const done = page.keys!.filter((key) => page.bodies![key]!.status === 'done');
  page.missing = page.keys!.filter((key) => page.bodies![key]!.status !== 'done');
  page.metrics = fresh(turn, {});
  page.outputs = fresh(turn, {});
  const outputs: Collect['outputs'] = {};
  for (const [name, output] of Object.entries(plan.outputs)) {
    const entries: CollectEntry[] = [];
    for (const key of done) {
      const body = page.bodies![key]!;
      const ref = body.outputs?.[name];
      for (const one of Array.isArray(ref) ? ref : ref ? [ref] : []) entries.push({ key, ref: one });
      if (body.metrics && Object.hasOwn(body.metrics, name)) (page.metrics[name] ??= {})[key] = body.metrics[name]!;
    }
    if (entries.length === 0) continue;
    if (output.list) page.outputs[name] = entries.map((entry) => entry.ref);
    else outputs[name] = { kind: output.kind, entries, missing: page.missing };
  }
  delete page.bodies;
  delete page.keys;
  if (Object.keys(outputs).length === 0) {
    page.status = 'folded';
    fan.openPages--;
    return;
  }
  page.status = 'collecting';
  page.collect = outputs;
  turn.commands.push({ type: 'collect', path: pathOf(site), page: at, outputs });
}

export function collected(turn: Turn, site: Site, at: number | 'all', outputs: Record<string, ArtifactRef>): void {
  const fan = writable(turn, site.state, 'fan');
  if (at === 'all') {
    if (fan.status !== 'collecting') return;
    return conclude(turn, site, fan, outputs);
  }
  if (fan.pages[at]?.status !== 'collecting') return;
  const page = writable(turn, writable(turn, fan, 'pages'), at);
  page.outputs = { ...page.outputs, ...outputs };
  page.status = 'folded';
  delete page.collect;
  fan.openPages--;
  fanThrough(turn, site);
}

/** When every item has settled and every page is folded: the budget, then one artifact an output. */
export function fanThrough(turn: Turn, site: Site): void {
  const { state, plan } = site;
  const fan = state.fan;
  if (
    state.status !== 'active' ||
    !fan ||
    fan.status !== 'running' ||
    fan.active > 0 ||
    (fan.listing && !fan.cancelled)
  )
    return;
  if (fan.cancelled) return endFan(turn, site);
  const sweep = plan.fanOut!.kind === 'sweep';
  const all = fan.cursor >= fan.total || fan.stopped || turn.state.cancelled;
  if (!all || fan.pages.some((page) => (sweep ? page.open > 0 : page.status !== 'folded'))) return;
  const open = writable(turn, state, 'fan');
  if (sweep) return selectPoint(turn, site, open);
  const failed = budgetError(site, open);
  open.missing = open.pages.flatMap((page) => page.missing ?? []);
  if (failed) {
    open.status = 'folded';
    return failStage(turn, site, failed);
  }
  open.status = 'collecting';
  const outputs = finalCollect(site, open);
  // One page: its collections are those of the stage.
  if (open.pages.length === 1 || Object.keys(outputs).length === 0)
    return conclude(
      turn,
      site,
      open,
      open.pages.length === 1 ? (open.pages[0]!.outputs as Record<string, ArtifactRef>) : {},
    );
  turn.commands.push({ type: 'collect', path: pathOf(site), page: 'all', outputs });
}

/** A cancelled fan-out of which nothing runs any more: whatever it was listing or collecting is not waited for. */
export function endFan(turn: Turn, site: Site): void {
  const { state } = site;
  const fan = writable(turn, state, 'fan');
  fan.status = 'folded';
  delete fan.listing;
  fan.pages = [];
  state.error = new HourglassError('CANCELLED', `\`${pathOf(site)}\` was cancelled.`).toJSON();
  settle(turn, site, 'cancelled');
}

export function finalCollect({ plan }: Site, fan: FanState): Collect['outputs'] {
  const outputs: Collect['outputs'] = {};
  for (const [name, output] of Object.entries(plan.outputs)) {
    if (output.list) continue;
    const entries = fan.pages.flatMap((page) =>
      page.outputs?.[name] ? [{ ref: page.outputs[name] as ArtifactRef }] : [],
    );
    if (entries.length > 0) outputs[name] = { kind: output.kind, entries, missing: fan.missing ?? [] };
  }
  return outputs;
}

function budgetError(site: Site, fan: FanState): ErrorJson | undefined {
  if (fan.failed === 0 || (fan.done > 0 && !overBudget(site, fan))) return undefined;
  const first = fan.errors[0]!;
  const budget = site.plan.fanOut!.failureBudget ?? { count: 0 };
  const allowed = 'count' in budget ? `${budget.count}` : `${budget.percent} %`;
  const which =
    fan.errors.map(({ key, error }) => `${key} (${error.code})`).join(', ') +
    (fan.failed > fan.errors.length ? ', …' : '');
  const what =
    fan.done === 0
      ? `all ${fan.failed} items tried failed`
      : `${fan.failed} of ${fan.total} items failed, ${allowed} are tolerated`;
  return new HourglassError(first.error.code, `${pathOf(site)}: ${what}: ${which}. The first: ${first.error.message}`, {
    details: { ...first.error.details, failed: fan.failed, total: fan.total, keys: fan.errors.map((e) => e.key) },
  }).toJSON();
}

function conclude(turn: Turn, site: Site, fan: FanState, refs: Record<string, ArtifactRef>): void {
  const outputs: Record<string, Output> = { ...refs };
  const metrics: Record<string, Json> = {};
  for (const [name, output] of Object.entries(site.plan.outputs)) {
    if (output.list)
      outputs[name] = fan.pages.flatMap((page) => (page.outputs?.[name] as ArtifactRef[] | undefined) ?? []);
    if (output.kind === 'metrics' && output.keep)
      metrics[name] = Object.assign({}, ...fan.pages.map((page: FanPage) => page.metrics?.[name] ?? {}));
  }
  fan.status = 'folded';
  fan.pages = [];
  if (fan.missing?.length === 0) delete fan.missing;
  site.state.cache = fan.failed === 0 && fan.hits === fan.done ? 'hit' : 'miss';
  judge(turn, site, outputs, metrics);
}
