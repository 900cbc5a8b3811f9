import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Workspace } from './support/workspace.ts';

const items = toyPipeline(
  `  each:
    forEach: { in: [north, south, west], as: place, failureBudget: 1 }
    stages:
      train:
        uses: toy/work
        with: { steps: 2, fail: "\${{ place == 'south' ? 'diverge' : 'no' }}", score: "\${{ place == 'west' ? 0.75 : 0.25 }}" }
    outputs: { metrics: "\${{ stages.train.metrics }}" }
`,
);
const points = toyPipeline(
  `  size:
    uses: toy/work
    sweep: { values: [0.25, 0.75, 0.5], as: score, select: { metric: score, mode: max } }
    with: { score: "\${{ score }}" }
`,
).replace('name: toy', 'name: sweep');

let w: Workspace;
beforeAll(() => {
  w = makeWorkspace({ 'items.yaml': items, 'points.yaml': points });
});
afterAll(() => w.remove());

describe('a group for each item', () => {
  it('goes on within its budget, says which item failed and why, and shows metrics by item', async () => {
    const { code, out } = await w.call(['run', 'items.yaml']);
    expect(code).toBe(0);
    expect(out).toMatch(/✓ each +done .*2 of 3 items, 1 failed/);
    expect(out).toMatch(/· +train +3 runs/);
    expect(out).toMatch(/! each\[south\] failed: TRAINING_DIVERGED\n +The loss is NaN at step 1/);
    expect(out).toContain('→ Lower the learning rate or check the data.');
    expect(out).toMatch(/each +score +steps\n +north +0\.25 +2\n +west +0\.75 +2/);
  });

  it('is told from the cache, item by item, when it runs again', async () => {
    const { out } = await w.call(['run', 'items.yaml']);
    expect(out).toMatch(/✓ each +done .*2 of 3 items, all cached, 1 failed/);
    expect((await w.call(['plan', 'items.yaml'])).out).toMatch(/each +RUN +train: first run/);
    w.write('all.yaml', items.replace("place == 'south'", 'false').replace('name: toy', 'name: every'));
    expect((await w.call(['run', 'all.yaml'])).code).toBe(0);
    expect((await w.call(['plan', 'all.yaml'])).out).toMatch(/each +HIT[^]* train +HIT[^]*2 hits · 0 to run/);
    expect((await w.call(['run', 'all.yaml'])).out).toMatch(
      /≡ each +cached +3 of 3 items, all cached\n ≡ +train +cached[^]*all stages cached/,
    );
  });

  it('fails with the message of the first item when the budget is spent', async () => {
    w.write('strict.yaml', items.replace('failureBudget: 1', 'failureBudget: 0'));
    const { code, out } = await w.call(['run', 'strict.yaml']);
    expect(code).toBe(1);
    expect(out).toMatch(/each failed: TRAINING_DIVERGED\n +each: 1 of 3 items failed, 0 are tolerated: south/);
  });

  it('is a failure, not a refusal of its own gate, where the gate of a stage within says no', async () => {
    w.write('gate.yaml', items.replace('uses: toy/work\n', 'uses: toy/work\n        gate: metrics.score > 0.9\n'));
    const { code, out } = await w.call(['run', 'gate.yaml']);
    expect(code).toBe(3);
    expect(out).toMatch(/each failed: GATE_FAILED\n +each: all 3 items tried failed/);
    expect(out).toContain('metrics.score = 0.25');
    expect(out).not.toContain('undefined');
  });
});

describe('a sweep', () => {
  it('shows every point with its score and which was selected, now and in the record', async () => {
    const { code, out } = await w.call(['run', 'points.yaml']);
    expect(code).toBe(0);
    const table = /size +score\n +0\.25 +0\.25\n +0\.75 +0\.75 +← selected\n +0\.5 +0\.5\n/;
    expect(out).toMatch(table);
    expect((await w.call(['runs', 'show'])).out).toMatch(table);
  });

  it('computes a new point alone: points are cached one by one', async () => {
    w.write('points.yaml', points.replace('0.5]', '0.5, 0.9]'));
    const { out } = await w.call(['run', 'points.yaml']);
    expect(out).toMatch(/4 of 4 points, 3 cached, selected 0\.9/);
    expect((await w.call(['plan', 'points.yaml'])).out).toMatch(/size +HIT/);
  });

  it('stops at the first point that satisfies `until`', async () => {
    w.write('until.yaml', points.replace('select: { metric: score, mode: max }', 'until: metrics.score >= 0.7'));
    const { out } = await w.call(['run', 'until.yaml']);
    expect(out).toMatch(/0\.75 +← selected: metrics\.score >= 0\.7\n +1 point not tried/);
  });
});
