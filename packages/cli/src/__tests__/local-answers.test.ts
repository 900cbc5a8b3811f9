import { expect, it, vi } from 'vitest';
import { makeWorkspace, toyPipeline } from './support/workspace.ts';

vi.mock('@hourglass/activities/client', () => {
  throw new Error('what speaks to a server was loaded');
});

it('a run of this machine is answered without loading what speaks to a server', async () => {
  const w = makeWorkspace({
    'asks.yaml': toyPipeline('  first: { uses: toy/work, with: { steps: 1 }, approve: {} }\n'),
  });
  try {
    const env = { HOURGLASS_HOME: `${w.dir}/store` };
    await w.start(['run', 'asks.yaml', '--plain'], env).ended;
    const [{ id }] = JSON.parse((await w.call(['runs', '--json'], { env })).out) as [{ id: string }];
    const approved = await w.call(['approve', id, 'first', '--by', 'ada'], { env });
    expect(approved.out, approved.err).toMatch(/approved by ada/);
    const retried = await w.call(['retry', id, '--plain'], { env });
    expect(retried.out, retried.err).toMatch(/first +\? waits for approval/);
  } finally {
    w.remove();
  }
});
