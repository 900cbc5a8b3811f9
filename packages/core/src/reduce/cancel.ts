import { HourglassError } from '../error.ts';
import { failBody, groupParams } from './body.ts';
import { endFan } from './collect.ts';
import { settle, SETTLED } from './stage.ts';
import { innerFrame, pathOf, rootFrame, siteOf, writable } from './turn.ts';
import type { Execution, Frame, Site, Turn } from './turn.ts';

/** Cancels the run: what runs is told to stop and answers for itself, all else ends at once. */
export function cancelRun(turn: Turn): void {
  turn.state.cancelled = true;
  const running: string[] = [];
  cancelLevel(turn, rootFrame(turn), running);
  if (running.length > 0) turn.commands.push({ type: 'cancel', paths: running });
}

function cancelLevel(turn: Turn, frame: Frame, running: string[]): void {
  for (const { id } of frame.stages) {
    const site = siteOf(turn, frame, id);
    if (!SETTLED.has(site.state.status)) cancelStage(turn, site, running);
  }
}

/** Cancels one stage; paths of what must be stopped by the host are added to `running`. */
export function cancelStage(turn: Turn, site: Site, running: string[]): void {
  const { state } = site;
  if (state.status === 'active' && state.body) {
    const body = writable(turn, state, 'body');
    cancelBody(turn, { ...site, body }, running);
    return;
  }
  if (state.status === 'active' && state.fan) {
    const fan = writable(turn, state, 'fan');
    // `stopped` first: an item that ends must not make room for another.
    fan.stopped = true;
    fan.cancelled = true;
    for (const [at, page] of fan.pages.entries())
      for (const key of page.keys ?? []) {
        if (!state.fan || state.status !== 'active') return;
        const known = state.fan.pages[at]?.bodies?.[key];
        if (!known || ['done', 'failed', 'cancelled'].includes(known.status)) continue;
        const pages = writable(turn, writable(turn, state, 'fan'), 'pages');
        const body = writable(turn, writable(turn, writable(turn, pages, at), 'bodies'), key);
        cancelBody(turn, { ...site, key, body }, running);
      }
    if (state.status === 'active' && state.fan.active === 0) endFan(turn, site);
    return;
  }
  settle(turn, site, 'cancelled');
}

function cancelBody(turn: Turn, execution: Execution, running: string[]): void {
  const { body, plan } = execution;
  if (body.status === 'running') running.push(pathOf(execution));
  else if (body.status === 'open') {
    const inner = innerFrame(turn, execution, plan.group!.params ? groupParams(turn, execution) : undefined);
    for (const { id } of inner.stages) {
      // The last stage to settle closes the group.
      if (body.status !== 'open') return;
      const site = siteOf(turn, inner, id);
      if (!SETTLED.has(site.state.status)) cancelStage(turn, site, running);
    }
  } else if (['lookup', 'queued', 'ready', 'backoff'].includes(body.status))
    failBody(
      turn,
      execution,
      new HourglassError('CANCELLED', `\`${pathOf(execution)}\` was cancelled.`).toJSON(),
      false,
    );
}
