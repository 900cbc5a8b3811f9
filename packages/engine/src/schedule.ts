import type { ScheduleSpec } from './types.ts';

const cosine = (from: number, to: number, progress: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, progress))))) / 2;

/**
 * Learning rate of step `step` (0-based). After the last step of a schedule its final rate holds.
 *
 * `cosine`: linear warm-up, then half a cosine (Loshchilov & Hutter 2017). `one-cycle`: half a cosine up, half a cosine
 * down (Smith & Topin 2018), phases placed as PyTorch's OneCycleLR places them.
 */
export function scheduleRate(spec: ScheduleSpec, step: number): number {
  if (spec.kind === 'constant') return spec.rate;
  const last = Math.max(1, spec.totalSteps - 1);
  if (spec.kind === 'cosine') {
    const warmup = spec.warmupSteps ?? 0;
    if (step < warmup) return (spec.rate * (step + 1)) / warmup;
    return cosine(spec.rate, spec.finalRate ?? 0, (step - warmup) / Math.max(1, last - warmup));
  }
  const start = spec.rate * (spec.startFactor ?? 1 / 25);
  const final = spec.rate * (spec.finalFactor ?? 1 / 25 / 1e4);
  const peak = Math.max(0, (spec.warmupFraction ?? 0.3) * spec.totalSteps - 1);
  if (step < peak) return cosine(start, spec.rate, step / peak);
  return cosine(spec.rate, final, (step - peak) / Math.max(1, last - peak));
}
