import { philoxFill } from './philox.ts';

/**
 * Where in the space of random numbers a draw lives. Equal addresses give equal numbers, on every engine and machine;
 * different ones give independent streams.
 */
export interface DrawAddress {
  /** uint32. */
  seed: number;
  /** Which purpose: keeps orders of rows, training steps, forward passes and draws on the host apart. */
  domain: 'order' | 'train' | 'forward' | 'host';
  /** Epoch or step, 0-based. */
  step: number;
  /** Which draw of that step, 0-based. */
  call: number;
}

const DOMAINS = { order: 1, train: 2, forward: 3, host: 4 } as const;

/** `count` raw uint32 of a stream, from its element `offset` on. */
export function drawBits(address: DrawAddress, count: number, offset = 0): Uint32Array {
  const key = [address.seed >>> 0, DOMAINS[address.domain]] as const;
  const counter = [0, Math.floor(address.step / 4294967296) >>> 0, address.call >>> 0, address.step >>> 0] as const;
  return philoxFill(new Uint32Array(count), key, counter, offset);
}

/** U[0, 1), multiples of 2⁻²⁴: every value is exact in float32. */
export function drawUniform(address: DrawAddress, count: number, offset = 0): Float32Array {
  const bits = drawBits(address, count, offset);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = (bits[i]! >>> 8) * 5.960464477539063e-8;
  return out;
}

/** N(0, 1) by Box–Muller in double, rounded to float32 once: elements 2k and 2k+1 of a stream come from one pair. */
export function drawNormal(address: DrawAddress, count: number, offset = 0): Float32Array {
  const start = offset - (offset % 2);
  const end = offset + count;
  const bits = drawBits(address, end - start + ((end - start) % 2), start);
  const out = new Float32Array(count);
  for (let i = 0; i < bits.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((bits[i]! + 1) / 4294967296));
    const angle = 2 * Math.PI * (bits[i + 1]! / 4294967296);
    const at = start + i - offset;
    if (at >= 0) out[at] = radius * Math.cos(angle);
    if (at + 1 < count) out[at + 1] = radius * Math.sin(angle);
  }
  return out;
}

/** 1 with probability `p`, else 0. */
export function drawBernoulli(address: DrawAddress, count: number, p: number, offset = 0): Float32Array {
  const out = drawUniform(address, count, offset);
  for (let i = 0; i < count; i++) out[i] = out[i]! < p ? 1 : 0;
  return out;
}

/** A permutation of 0 … n−1 (Fisher–Yates) that depends on seed and epoch only. */
export function permutation(n: number, seed: number, epoch: number): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const bits = drawBits({ seed, domain: 'order', step: epoch, call: 0 }, n);
  for (let i = n - 1; i > 0; i--) {
    // Exact in double for n < 2³¹; the bias is below n / 2³².
    const j = Math.floor((bits[i]! * (i + 1)) / 4294967296);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}
