import type { ArtifactRef } from '../artifact.ts';
import { HourglassError } from '../error.ts';
import type { ErrorJson } from '../error.ts';
import type { PartItem } from '../event.ts';
import type { Json } from '../plan.ts';
import type { BodyState, FanPage, FanState } from '../state.ts';
import { canonicalJson } from '../canonical-json.ts';
import { looksUp, run, startBody } from './body.ts';
import { foldPage, fanThrough } from './collect.ts';
import { expressionError, failStage } from './stage.ts';
import { pointSettled } from './sweep.ts';
import { fresh, pathOf, stageOf, writable } from './turn.ts';
import type { Execution, Site, Turn } from './turn.ts';
import { resolveArtifact, resolveValue } from './values.ts';

/** Items that are listed, looked up and folded together: bounds the state, whatever the number of items. */
const PAGE_SIZE = 256;
/** More items than this are refused: a run of that size is several runs. */
const MAX_ITEMS = 100_000;
/** Points of a sweep all stay visible. */
const MAX_POINTS = PAGE_SIZE;
/** With nothing but failures so far, beyond the budget, the rest is not tried. */
const GIVE_UP_AFTER = 16;
const ERRORS_KEPT = 5;

interface Item {
  key: string;
  value: Json | ArtifactRef;
}

export function startFan(turn: Turn, site: Site): void {
  const { frame, plan, state } = site;
  const fanOut = plan.fanOut!;
  const fan: FanState = fresh(turn, {
    status: 'running',
    total: 0,
    cursor: 0,
    active: 0,
    done: 0,
    failed: 0,
    hits: 0,
    openPages: 0,
    pages: fresh(turn, []),
    errors: [],
  });
  state.fan = fan;
  if (fanOut.kind === 'sweep') fan.points = [];
  try {
    if (fanOut.over === 'parts') {
      const source = resolveArtifact(turn.state, frame, fanOut.in!);
      if (!source || Array.isArray(source) || source.kind !== 'dataset')
        return failStage(
          turn,
          site,
          failure(site, 'INPUT_INVALID', `\`forEach\` (${String(fanOut.in)}) has no dataset to go through`),
        );
      fan.source = source;
      requestPage(turn, site, fan);
      return;
    }
    fan.total = itemsOf(turn, site).length;
  } catch (error) {
    return failStage(
      turn,
      site,
      expressionError(site, fanOut.kind, JSON.stringify(fanOut.in ?? fanOut.matrix ?? fanOut.values), error),
    );
  }
  if (refuseSize(turn, site, fan)) return;
  openPage(turn, site, fan);
  pump(turn, site);
}

function failure(
  site: Site,
  code: 'INPUT_INVALID' | 'OPTION_INVALID' | 'DATA_INSUFFICIENT',
  message: string,
): ErrorJson {
  return new HourglassError(code, `${pathOf(site)}: ${message}.`).toJSON();
}

function refuseSize(turn: Turn, site: Site, fan: FanState): boolean {
  const { kind } = site.plan.fanOut!;
  const limit = kind === 'sweep' ? MAX_POINTS : MAX_ITEMS;
  if (fan.total > 0 && fan.total <= limit) return false;
  const message =
    fan.total === 0
      ? `\`${kind}\` has nothing to go through. Guard the stage with \`when\` if that may happen`
      : `\`${kind}\` would go through ${fan.total} ${kind === 'sweep' ? 'points' : 'items'}, at most ${limit} are allowed. Use fewer, larger ones`;
  failStage(turn, site, failure(site, fan.total === 0 ? 'DATA_INSUFFICIENT' : 'OPTION_INVALID', message));
  return true;
}

/** Items of a list, or points of a sweep, in order. Evaluated anew for each page: they are not kept in the state. */
function itemsOf(turn: Turn, site: Site): Item[] {
  const { frame, plan } = site;
  const fanOut = plan.fanOut!;
  if (fanOut.kind === 'sweep') {
    const points: Json[] = fanOut.matrix
      ? combinations(
          Object.entries(fanOut.matrix).map(([name, list]) => [name, resolveValue(turn.state, frame, list) as Json[]]),
        )
      : (resolveValue(turn.state, frame, fanOut.values!) as Json[]);
    return named(points);
  }
  const artifacts = resolveArtifact(turn.state, frame, fanOut.in!);
  if (Array.isArray(artifacts)) return artifacts.map((value, i) => ({ key: String(i), value }));
  const list = resolveValue(turn.state, frame, fanOut.in!);
  if (!Array.isArray(list)) throw new Error(`expected a list, found ${JSON.stringify(list)?.slice(0, 60)}`);
  return named(list);
}

function combinations(lists: [string, Json[]][]): Json[] {
  let points: Record<string, Json>[] = [{}];
  for (const [name, values] of lists) {
    if (!Array.isArray(values)) throw new Error(`\`${name}\`: expected a list, found ${JSON.stringify(values)}`);
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

function named(values: Json[]): Item[] {
  const text = (value: Json): string => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return Object.entries(value)
        .map(([name, v]) => `${name}=${typeof v === 'object' ? canonicalJson(v) : String(v)}`)
        .join(',');
    return typeof value === 'object' ? canonicalJson(value) : String(value);
  };
  const keys = values.map(text);
  // Items that read alike or at length are told apart by their place.
  const unique = new Set(keys).size === keys.length && keys.every((key) => key.length <= 80);
  return values.map((value, i) => ({ key: unique ? keys[i]! : String(i), value }));
}

function requestPage(turn: Turn, site: Site, fan: FanState): void {
  fan.listing = true;
  turn.commands.push({ type: 'list', path: pathOf(site), ref: fan.source!, offset: fan.cursor, limit: PAGE_SIZE });
}

/** Asks again for the page under way, after the host began anew. */
export function requestAgain(turn: Turn, site: Site): void {
  const { fan } = site.state;
  if (fan?.listing) requestPage(turn, site, writable(turn, site.state, 'fan'));
}

export function listed(turn: Turn, site: Site, offset: number, total: number, items: PartItem[]): void {
  const fan = writable(turn, site.state, 'fan');
  if (!fan.listing || offset !== fan.cursor) return;
  delete fan.listing;
  fan.total = total;
  if (refuseSize(turn, site, fan)) return;
  addPage(
    turn,
    site,
    fan,
    items.map(({ key, ref }) => ({ key, value: ref })),
  );
  pump(turn, site);
}

function openPage(turn: Turn, site: Site, fan: FanState): void {
  if (fan.source) return requestPage(turn, site, fan);
  addPage(turn, site, fan, itemsOf(turn, site).slice(fan.cursor, fan.cursor + PAGE_SIZE));
}

function addPage(turn: Turn, site: Site, fan: FanState, items: Item[]): void {
  const bodies: Record<string, BodyState> = fresh(turn, {});
  const page: FanPage = fresh(turn, {
    keys: items.map((item) => item.key),
    bodies,
    lookups: 0,
    queue: fresh(turn, []),
    open: items.length,
    status: 'open',
  });
  for (const { key, value } of items) bodies[key] = fresh(turn, { status: 'queued', attempt: 1, item: value });
  writable(turn, fan, 'pages').push(page);
  fan.cursor += items.length;
  fan.openPages++;
  // Keys are resolved before work is queued, so that a HIT never waits behind a training.
  if (!looksUp(turn, site)) {
    page.queue.push(...page.keys!);
    return;
  }
  page.lookups = items.length;
  for (const key of page.keys!) startBody(turn, { ...site, key, body: bodies[key]! });
}

/** An item's lookup missed: it waits for its turn. */
export function enqueue(turn: Turn, execution: Execution): void {
  const { page } = pageOf(turn, execution);
  const site = stageOf(execution);
  page.lookups--;
  if (isObsolete(site, execution.key!)) {
    forget(turn, page, new Set([execution.key!]));
    return fanThrough(turn, site);
  }
  execution.body.status = 'queued';
  writable(turn, page, 'queue').push(execution.key!);
  pump(turn, site);
}

/** Starts items while there is room for them, and opens pages while there are items. */
export function pump(turn: Turn, site: Site): void {
  const { plan, state } = site;
  for (;;) {
    if (state.status !== 'active' || !state.fan || state.fan.status !== 'running') return;
    const fan = writable(turn, state, 'fan');
    if (turn.state.cancelled || fan.stopped || fan.active >= plan.fanOut!.maxParallel) break;
    const at = fan.pages.findIndex((page) => page.queue.length > 0);
    if (at >= 0) {
      const page = writable(turn, writable(turn, fan, 'pages'), at);
      const key = writable(turn, page, 'queue').shift()!;
      const body = writable(turn, writable(turn, page, 'bodies'), key);
      fan.active++;
      body.started = true;
      // Its lookup has missed already.
      if (body.cache === 'miss') run(turn, { ...site, key, body });
      else startBody(turn, { ...site, key, body });
      continue;
    }
    const looking = fan.pages.some((page) => page.lookups > 0);
    if (looking || fan.listing || fan.cursor >= fan.total) break;
    openPage(turn, site, fan);
  }
  if (!state.fan!.stopped) return;
  dropQueued(turn, site);
  fanThrough(turn, site);
}

/** Items that will not be started any more leave no trace. */
function dropQueued(turn: Turn, site: Site, drops: (key: string) => boolean = () => true): void {
  const fan = writable(turn, site.state, 'fan');
  for (const [i, page] of fan.pages.entries()) {
    const dropped = new Set(page.queue.filter(drops));
    if (dropped.size === 0) continue;
    const open = writable(turn, writable(turn, fan, 'pages'), i);
    forget(turn, open, dropped);
    if (open.open === 0) foldPage(turn, site, i);
  }
}

function forget(turn: Turn, page: FanPage, dropped: ReadonlySet<string>): void {
  const bodies = writable(turn, page, 'bodies');
  for (const key of dropped) delete bodies[key];
  const kept = (key: string): boolean => !dropped.has(key);
  page.keys = page.keys!.filter(kept);
  page.queue = fresh(turn, page.queue.filter(kept));
  page.open -= dropped.size;
}

/**
 * A point after one that satisfies `until`: it is not tried, and not counted where it is cached already. The first in
 * order counts, whatever is in the cache and whichever of several side by side is through first.
 */
function isObsolete({ plan, state }: Site, key: string): boolean {
  const { points, pages } = state.fan!;
  if (plan.fanOut!.until === undefined) return false;
  const first = points!.find((point) => point.satisfied);
  const keys = pages[0]!.keys!;
  return first !== undefined && keys.indexOf(key) > keys.indexOf(first.key);
}

export function pageOf(turn: Turn, { state, key }: Execution): { fan: FanState; page: FanPage; at: number } {
  const fan = writable(turn, state, 'fan');
  const at = fan.pages.findIndex((p) => p.bodies && Object.hasOwn(p.bodies, key!));
  return { fan, page: writable(turn, writable(turn, fan, 'pages'), at), at };
}

/** One item is through, well or not. */
export function itemSettled(turn: Turn, execution: Execution): void {
  const { state, body, plan, key } = execution;
  if (state.status !== 'active') return;
  const site = stageOf(execution);
  const { fan, page, at } = pageOf(turn, execution);
  if (!body.started && isObsolete(site, key!)) {
    page.lookups--;
    forget(turn, page, new Set([key!]));
    return fanThrough(turn, site);
  }
  if (body.started) fan.active--;
  else if (page.queue.includes(key!))
    page.queue = fresh(
      turn,
      page.queue.filter((queued) => queued !== key),
    );
  else page.lookups--;
  delete body.started;
  page.open--;
  if (body.status === 'done') {
    fan.done++;
    if (body.cache === 'hit') fan.hits++;
  } else {
    fan.failed++;
    if (fan.errors.length < ERRORS_KEPT) fan.errors = [...fan.errors, { key: key!, error: body.error! }];
    if (plan.fanOut!.kind === 'forEach' && fan.done === 0 && fan.failed >= GIVE_UP_AFTER && overBudget(site, fan))
      fan.stopped = true;
  }
  if (plan.fanOut!.kind === 'sweep') {
    pointSettled(turn, execution, fan);
    dropQueued(turn, site, (queued) => isObsolete(site, queued));
  } else delete body.item;
  if (page.open === 0) foldPage(turn, site, at);
  pump(turn, site);
  fanThrough(turn, site);
}

export function overBudget({ plan }: Site, fan: FanState): boolean {
  const budget = plan.fanOut!.failureBudget ?? { count: 0 };
  return 'count' in budget ? fan.failed > budget.count : fan.failed > (budget.percent / 100) * fan.total;
}
