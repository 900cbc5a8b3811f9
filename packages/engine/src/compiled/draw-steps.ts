import { sizeOf } from '../flat-params.ts';
import { drawBernoulli, drawNormal, drawUniform, type DrawAddress } from '../random/draw.ts';
import type { RandomDraw } from '../tracer/trace-step.ts';

function numbers(draw: RandomDraw, address: DrawAddress, count: number, offset = 0): Float32Array {
  if (draw.kind === 'bernoulli') return drawBernoulli(address, count, draw.p, offset);
  return draw.kind === 'normal' ? drawNormal(address, count, offset) : drawUniform(address, count, offset);
}

/** The numbers of draw `call` of several training steps, `[steps, …]`. */
export function drawSteps(draw: RandomDraw, seed: number, step: number, steps: number, call: number): Float32Array {
  const count = sizeOf(draw.shape);
  const out = new Float32Array(steps * count);
  for (let i = 0; i < steps; i++)
    out.set(numbers(draw, { seed, domain: 'train', step: step + i, call }, count), i * count);
  return out;
}

/** Random numbers of the rows of a forward pass from `firstRow` on: the same however the rows are cut into batches. */
export function drawRows(
  draw: RandomDraw,
  shape: number[],
  seed: number,
  call: number,
  firstRow: number,
): Float32Array {
  const offset = firstRow * sizeOf(shape.slice(1));
  return numbers(draw, { seed, domain: 'forward', step: 0, call }, sizeOf(shape), offset);
}
