import { describe, expect, it } from 'vitest';

import { scheduleRate } from '../schedule.ts';

describe('scheduleRate', () => {
  it('keeps a constant rate', () => {
    expect([0, 5, 1e6].map((t) => scheduleRate({ kind: 'constant', rate: 0.1 }, t))).toEqual([0.1, 0.1, 0.1]);
  });

  it('warms up linearly, then follows half a cosine to the final rate and stays there', () => {
    const spec = { kind: 'cosine', rate: 1, totalSteps: 21, warmupSteps: 4, finalRate: 0.2 } as const;
    expect([0, 1, 2, 3].map((t) => scheduleRate(spec, t))).toEqual([0.25, 0.5, 0.75, 1]);
    expect(scheduleRate(spec, 4)).toBe(1);
    expect(scheduleRate(spec, 12)).toBeCloseTo(0.6, 12);
    expect(scheduleRate(spec, 20)).toBeCloseTo(0.2, 12);
    expect(scheduleRate(spec, 100)).toBeCloseTo(0.2, 12);
  });

  it("follows PyTorch's OneCycleLR", () => {
    // torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1.0, total_steps=10): get_last_lr() of each step
    const expected = [
      0.039999999999999994, 0.52, 1, 0.9504846320134736, 0.8117456539497631, 0.6112620219362892, 0.38874197806371076,
      0.18825834605023687, 0.04951936798652636, 4e-6,
    ];
    const spec = { kind: 'one-cycle', rate: 1, totalSteps: 10 } as const;
    expected.forEach((rate, t) => expect(scheduleRate(spec, t)).toBeCloseTo(rate, 5));
  });

  it('survives schedules of one step', () => {
    expect(scheduleRate({ kind: 'cosine', rate: 1, totalSteps: 1 }, 0)).toBe(1);
    expect(Number.isFinite(scheduleRate({ kind: 'one-cycle', rate: 1, totalSteps: 1 }, 0))).toBe(true);
  });
});
