import type { BodyState } from '../state.ts';
import { failBody, groupParams, looksUp, run, taskOf } from './body.ts';
import { finalCollect } from './collect.ts';
import { requestAgain } from './fan.ts';
import { askForApproval, askWhileHeld } from './stage.ts';
import { innerFrame, pathOf, rootFrame, siteOf, writable } from './turn.ts';
import type { Execution, Frame, Site, Turn } from './turn.ts';

interface Visitor {
  stage?(site: Site): void;
  body(execution: Execution): void;
}

/** Visits every execution under way, insides of groups included. */
function walk(turn: Turn, frame: Frame, visitor: Visitor): void {
  for (const { id } of frame.stages) {
    const known = frame.states[id]!;
    if (!['active', 'approval', 'held'].includes(known.status)) continue;
    const site = siteOf(turn, frame, id);
    visitor.stage?.(site);
    if (site.state.status !== 'active') continue;
    if (site.state.body) visit(turn, { ...site, body: writable(turn, site.state, 'body') }, visitor);
    for (const [at, page] of (site.state.fan?.pages ?? []).entries())
      for (const key of page.keys ?? []) {
        if (site.state.status !== 'active' || !isOpen(site.state.fan?.pages[at]?.bodies?.[key])) continue;
        const pages = writable(turn, writable(turn, site.state, 'fan'), 'pages');
        const body = writable(turn, writable(turn, writable(turn, pages, at), 'bodies'), key);
        visit(turn, { ...site, key, body }, visitor);
      }
  }
}

function isOpen(body: BodyState | undefined): boolean {
  return body !== undefined && !['done', 'failed', 'cancelled'].includes(body.status);
}

function visit(turn: Turn, execution: Execution, visitor: Visitor): void {
  const { body, plan } = execution;
  if (body.status !== 'open') return visitor.body(execution);
  walk(turn, innerFrame(turn, execution, plan.group!.params ? groupParams(turn, execution) : undefined), visitor);
}

/** The pause is over: what was ready runs. */
export function runReady(turn: Turn): void {
  walk(turn, rootFrame(turn), {
    body: (execution) => {
      if (execution.body.status === 'ready') run(turn, execution);
    },
  });
}

/** The host begins anew from this state: everything outstanding is asked for once more. */
export function askAgain(turn: Turn): void {
  walk(turn, rootFrame(turn), {
    stage(site) {
      const { state } = site;
      if (state.status === 'approval') askForApproval(turn, site);
      if (state.status === 'held') askWhileHeld(turn, site);
      if (state.status !== 'active' || !state.fan) return;
      requestAgain(turn, site);
      const path = pathOf(site);
      if (state.fan.status === 'collecting')
        turn.commands.push({ type: 'collect', path, page: 'all', outputs: finalCollect(site, state.fan) });
      for (const [page, { status, collect }] of state.fan.pages.entries())
        if (status === 'collecting') turn.commands.push({ type: 'collect', path, page, outputs: collect! });
    },
    body(execution) {
      const { body } = execution;
      const path = pathOf(execution);
      if (body.status === 'backoff') turn.commands.push({ type: 'wait', path, timer: 'backoff', until: body.until! });
      if (body.status !== 'running' && body.status !== 'lookup') return;
      const task = taskOf(turn, execution);
      if (!('uses' in task)) return failBody(turn, execution, task, false);
      // It may have finished without a word reaching the state: the cache knows.
      if (looksUp(turn, execution)) {
        body.status = 'lookup';
        turn.lookups.push(task);
      } else run(turn, execution, task);
    },
  });
  for (const [name, { ref, done }] of Object.entries(turn.state.published))
    if (!done) turn.commands.push({ type: 'publish', name, ref });
}
