import { describe, expect, it } from 'vitest';

import { drawBernoulli, drawBits, drawNormal, drawUniform, permutation, type DrawAddress } from '../random/draw.ts';
import { hostRandom } from '../random/host-random.ts';
import { philoxFill } from '../random/philox.ts';

const at: DrawAddress = { seed: 7, domain: 'train', step: 3, call: 1 };
const hex = (bits: Uint32Array) => [...bits].map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('philox', () => {
  // kat_vectors of Random123 1.14, lines "philox4x32 10".
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('gives the published numbers for counter %j', (counter, key, expected) => {
    expect(hex(philoxFill(new Uint32Array(4), key, counter))).toBe(expected);
  });

  it('gives any piece of a stream without what comes before it', () => {
    const whole = drawBits(at, 64);
    for (const [offset, count] of [
      [0, 1],
      [1, 6],
      [3, 2],
      [5, 20],
      [62, 2],
    ] as const)
      expect(drawBits(at, count, offset)).toEqual(whole.slice(offset, offset + count));
  });

  it('carries into the second word of the counter when the first is full', () => {
    const across = philoxFill(new Uint32Array(8), [1, 2], [0xffffffff, 5, 0, 0]);
    expect(across.slice(4)).toEqual(philoxFill(new Uint32Array(4), [1, 2], [0, 6, 0, 0]));
  });
});

describe('draws', () => {
  it('are uniform: mean ½, variance 1/12, all of [0, 1)', () => {
    const x = drawUniform(at, 200_000);
    const mean = x.reduce((a, b) => a + b) / x.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length).toBeCloseTo(1 / 12, 3);
    expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
  });

  it('are normal: moments 0, 1, 0, 3', () => {
    const x = drawNormal(at, 400_000);
    const moment = (k: number) => x.reduce((a, b) => a + b ** k, 0) / x.length;
    expect(moment(1)).toBeCloseTo(0, 2);
    expect(moment(2)).toBeCloseTo(1, 2);
    expect(Math.abs(moment(3))).toBeLessThan(0.03);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.05);
  });

  it('give normal numbers piecewise as in one draw', () => {
    const whole = drawNormal(at, 40);
    for (const [offset, count] of [
      [0, 7],
      [1, 8],
      [3, 5],
      [38, 2],
      [39, 1],
    ] as const)
      expect(drawNormal(at, count, offset)).toEqual(whole.slice(offset, offset + count));
  });

  it('are 1 with the probability asked for', () => {
    const x = drawBernoulli(at, 100_000, 0.3);
    expect(x.reduce((a, b) => a + b) / x.length).toBeCloseTo(0.3, 2);
    expect(drawBernoulli(at, 100, 0)).toEqual(new Float32Array(100));
    expect(drawBernoulli(at, 100, 1)).toEqual(new Float32Array(100).fill(1));
  });

  it('differ by seed, purpose, step and call', () => {
    const others: Partial<DrawAddress>[] = [{ seed: 8 }, { domain: 'order' }, { step: 4 }, { call: 2 }];
    for (const other of others) expect(drawBits({ ...at, ...other }, 8)).not.toEqual(drawBits(at, 8));
    expect(drawBits({ ...at }, 8)).toEqual(drawBits(at, 8));
  });
});

describe('permutation', () => {
  it('holds every row once, and depends on seed and epoch only', () => {
    const order = permutation(1000, 5, 2);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect(permutation(1000, 5, 2)).toEqual(order);
    expect(permutation(1000, 5, 3)).not.toEqual(order);
    expect(permutation(1000, 6, 2)).not.toEqual(order);
  });

  it('is unbiased: every row comes first equally often', () => {
    const first = new Array<number>(5).fill(0);
    for (let epoch = 0; epoch < 20_000; epoch++) first[permutation(5, 1, epoch)[0]!]!++;
    for (const count of first) expect(Math.abs(count - 4000)).toBeLessThan(250);
  });

  it('takes zero and one row', () => {
    expect(permutation(0, 1, 1)).toEqual(new Int32Array(0));
    expect(permutation(1, 1, 1)).toEqual(new Int32Array(1));
  });
});

describe('hostRandom', () => {
  it('draws the same numbers for the same seed and stream, others for another', () => {
    const draw = (seed: number, stream: number) => {
      const random = hostRandom(seed, stream);
      return Array.from({ length: 600 }, (_, i) => (i % 3 === 0 ? random.normal() : random.uniform()));
    };
    expect(draw(1, 2)).toEqual(draw(1, 2));
    expect(draw(1, 3)).not.toEqual(draw(1, 2));
    expect(new Set(draw(1, 2)).size).toBeGreaterThan(590);
  });
});
