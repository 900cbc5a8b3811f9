import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, isClosed } from '../advance.ts';
import { bind } from '../bind.ts';
import type { Plan, StagePlan } from '../plan.ts';
import { parsePath, stagePathOf } from '../reduce/path.ts';
import { findStagePlan } from '../select.ts';
import type { RunState, StageState } from '../state.ts';
import { plan } from './support/host.ts';
import { simulate } from './support/simulate.ts';
import type { Habits, Simulation } from './support/simulate.ts';

interface Shape {
  kind: 'train' | 'mask' | 'group';
  needs: number[];
  settings: string[];
  inside: Shape[];
}

const SETTINGS = [
  'when: "params.n > 3"',
  'when: "params.n > 7"',
  'onSkipped: run',
  'cache: false',
  'onFailure: { wait: 1h }',
  'approve: { timeout: 1h, onTimeout: approve }',
  'approve: true',
  'retry: 2',
  'gate: "params.n > 1"',
  'gate: "params.n > 9"',
  'forEach: { in: "${{ stages.source.data }}", maxParallel: 2, failureBudget: 1 }',
  'forEach: { in: "${{ stages.source.data }}", maxParallel: 3, failureBudget: "50%" }',
  'forEach: { in: [a, b, c], maxParallel: 2 }',
  'sweep: { values: [1, 2, 3, 4], maxParallel: 2, until: "params.n > 8 || point == 3" }',
  'sweep: { matrix: { a: [1, 2], b: [x, y] }, maxParallel: 3, select: { metric: loss } }',
];

const shape = (depth: number): fc.Arbitrary<Shape> =>
  fc.record({
    kind:
      depth > 0
        ? fc.constantFrom<Shape['kind']>('train', 'mask', 'group')
        : fc.constantFrom<Shape['kind']>('train', 'mask'),
    needs: fc.array(fc.nat(20), { maxLength: 2 }),
    settings: fc.uniqueArray(fc.constantFrom(...SETTINGS), {
      maxLength: 3,
      selector: (s) => (/^(forEach|sweep)/.test(s) ? 'fan' : s.split(':')[0]),
    }),
    inside: depth > 0 ? fc.array(shape(depth - 1), { minLength: 1, maxLength: 3 }) : fc.constant([]),
  });

function write(shapes: Shape[], prefix: string, indent: string): string {
  return shapes
    .map((s, i) => {
      const needs = [...new Set(s.needs.map((n) => n % (i + 1)).filter((n) => n < i))].map((n) => `${prefix}${n}`);
      const lines = [`${indent}${prefix}${i}:`];
      if (needs.length > 0) lines.push(`${indent}  needs: [${needs.join(', ')}]`);
      for (const setting of s.settings) {
        // Only training has a loss to select by.
        const fits = s.kind === 'train' || !setting.includes('loss');
        if (fits) lines.push(`${indent}  ${setting}`);
      }
      if (s.kind === 'group') {
        lines.push(`${indent}  stages:`, write(s.inside, `${prefix}${i}_`, `${indent}    `));
        const first = s.inside[0]!;
        const output = first.kind === 'train' ? 'model' : 'masked';
        if (first.kind !== 'group')
          lines.push(`${indent}  outputs: { out: "\${{ stages.${prefix}${i}_0.${output} }}" }`);
      } else
        lines.push(`${indent}  uses: imputation/${s.kind}`, `${indent}  with: { data: "\${{ stages.source.data }}" }`);
      return lines.join('\n');
    })
    .join('\n');
}

const pipelines = fc.array(shape(2), { minLength: 1, maxLength: 5 }).map(
  (shapes) => `hourglass: v1
name: random
params: { n: 5 }
stages:
  source: { uses: data/ingest, with: { uri: x } }
${write(shapes, 's', '  ')}
publish: { source: "\${{ stages.source.data }}" }
`,
);

const habits: fc.Arbitrary<Habits> = fc.record({
  fails: fc.constantFrom(0, 0.1, 0.3),
  crashes: fc.constantFrom(0, 0.2),
  hits: fc.constantFrom(0, 0.3, 1),
  approves: fc.constantFrom(0.2, 1),
  noise: fc.constantFrom(0, 0.15),
  cancels: fc.constantFrom(0, 0, 0.02),
  parts: fc.integer({ min: 1, max: 5 }),
});

const SETTLED = new Set(['done', 'skipped', 'failed', 'blocked', 'cancelled']);

function each(
  stages: readonly StagePlan[],
  states: Record<string, StageState>,
  visit: (plan: StagePlan, state: StageState) => void,
): void {
  for (const stage of stages) {
    const state = states[stage.id]!;
    visit(stage, state);
    if (!stage.group) continue;
    if (state.body?.stages) each(stage.group.stages, state.body.stages, visit);
    for (const page of state.fan?.pages ?? [])
      for (const body of Object.values(page.bodies ?? {}))
        if (body.stages) each(stage.group.stages, body.stages, visit);
  }
}

/** States of the stages beside the one that a path names, in the execution it is in. */
function siblings(state: RunState, path: string): Record<string, StageState> {
  let states = state.stages;
  for (const { id, key } of parsePath(path)!.slice(0, -1)) {
    const stage = states[id]!;
    const body = key === undefined ? stage.body! : stage.fan!.pages.map((page) => page.bodies?.[key]).find((b) => b)!;
    states = body.stages!;
  }
  return states;
}

function checkRun(p: Plan, run: Simulation): void {
  const { state } = run;
  expect(isClosed(state)).toBe(true);
  each(p.stages, state.stages, (_, s) => expect(SETTLED.has(s.status)).toBe(true));
  // Nothing runs before, or after a failure of, what it needs.
  for (const { path, state: then } of run.runs) {
    const { stage } = findStagePlan(p, stagePathOf(path))!;
    for (const need of stage.needs) {
      const status = siblings(then, path)[need]!.status;
      expect(['done', 'skipped']).toContain(status);
      if (status === 'skipped') expect(stage.onSkipped).toBe('run');
    }
  }
  // A stage settles once: after that it does not change.
  for (let i = 1; i < run.states.length; i++)
    for (const stage of p.stages) {
      const before = run.states[i - 1]!.stages[stage.id]!;
      if (SETTLED.has(before.status)) expect(run.states[i]!.stages[stage.id]!.status).toBe(before.status);
    }
  each(p.stages, state.stages, (stage, s) => {
    if (!s.fan || s.fan.cancelled || stage.fanOut!.kind !== 'forEach') return;
    const budget = stage.fanOut!.failureBudget!;
    const allowed = 'count' in budget ? budget.count : (budget.percent / 100) * s.fan.total;
    if (s.fan.failed > allowed) expect(s.status).not.toBe('done');
    if (s.status === 'done') expect(s.fan.done + s.fan.failed).toBe(s.fan.total);
  });
  const failed = p.stages.some((stage) => state.stages[stage.id]!.status === 'failed');
  if (state.status === 'succeeded') {
    expect(failed).toBe(false);
    expect(state.error).toBeUndefined();
  } else expect(state.error?.code).toBeDefined();
  if (failed && !state.cancelled) expect(state.status).toBe('failed');
}

const bound = (p: Plan): RunState => bind(p, { runId: 'r', scheduledAt: '2026-11-24T00:00:00Z' });

describe('advance: any plan, any order of events', () => {
  it('closes every run, and keeps every rule on the way', () => {
    fc.assert(
      fc.property(pipelines, habits, fc.nat(), (text, h, seed) => {
        const p = plan(text);
        checkRun(p, simulate(p, bound(p), seed, h));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same state and commands when the events are replayed', () => {
    fc.assert(
      fc.property(pipelines, habits, fc.nat(), (text, h, seed) => {
        const p = plan(text);
        const run = simulate(p, bound(p), seed, h);
        let state = bound(p);
        for (const [i, event] of run.events.entries()) {
          state = advance(p, state, event).state;
          if (i % 7 === 0) expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(JSON.stringify(run.states[i])));
        }
        expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(JSON.stringify(run.state)));
      }),
      { numRuns: 100 },
    );
  });

  it('starts each attempt once when nothing restarts', () => {
    fc.assert(
      fc.property(pipelines, habits, fc.nat(), (text, h, seed) => {
        // A person's retry, and a group's, begin again with the first attempt.
        fc.pre(!/onFailure|retry/.test(text));
        const p = plan(text);
        const quiet = { ...h, noise: 0 };
        const run = simulate(p, bound(p), seed, quiet);
        const seen = run.runs.map(({ path, attempt }) => `${path}#${attempt}`);
        expect(new Set(seen).size).toBe(seen.length);
      }),
      { numRuns: 100 },
    );
  });

  it('reaches the same outputs in whatever order the answers come', () => {
    fc.assert(
      fc.property(pipelines, fc.nat(), fc.nat(), (text, a, b) => {
        // Whether a person or the clock is first is no matter of answers.
        fc.pre(!text.includes('onFailure'));
        const p = plan(text);
        const calm: Habits = { fails: 0, crashes: 0, hits: 0, approves: 1, noise: 0, cancels: 0, parts: 3 };
        const outputs = (seed: number): unknown => {
          const { state } = simulate(p, bound(p), seed, calm);
          return Object.fromEntries(Object.entries(state.stages).map(([id, s]) => [id, [s.status, s.outputs]]));
        };
        expect(outputs(a)).toEqual(outputs(b));
      }),
      { numRuns: 60 },
    );
  });
});
