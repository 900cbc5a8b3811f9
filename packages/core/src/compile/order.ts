import type { DocPath } from '../document.ts';
import type { Reporter } from './reporter.ts';

/** One stage needs another: `from` is the stage that needs, `path` where that is written. */
export interface Edge {
  from: string;
  to: string;
  path: DocPath;
}

/** Ids in an order in which each comes after what it needs, as near to the file's order as can be; a cycle is reported. */
export function orderStages(r: Reporter, ids: readonly string[], edges: readonly Edge[]): string[] {
  const needs = new Map<string, Set<string>>(ids.map((id) => [id, new Set<string>()]));
  for (const { from, to } of edges) if (needs.has(to)) needs.get(from)?.add(to);
  const state = new Map<string, 'open' | 'done'>();
  const order: string[] = [];
  const trail: string[] = [];
  const visit = (id: string): void => {
    if (state.get(id) === 'done') return;
    if (state.get(id) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(id)), id];
      const last = cycle.at(-2)!;
      const edge = edges.find((e) => e.from === last && e.to === id)!;
      r.report(edge.path, 'cycle', `These stages wait for each other: ${cycle.join(' → ')}`, {
        expected: 'an order in which each stage comes after what it needs',
        found: cycle.length === 2 ? `\`${id}\` needs itself` : undefined,
      });
      return;
    }
    state.set(id, 'open');
    trail.push(id);
    for (const need of needs.get(id)!) visit(need);
    trail.pop();
    state.set(id, 'done');
    order.push(id);
  };
  for (const id of ids) visit(id);
  return order;
}
