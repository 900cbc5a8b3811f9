import { deriveSeed } from '@hourglass/core';
import { drawNormal, type ParamArrays } from '@hourglass/engine';

/** Width of a category column's embedding. Source: fast.ai's rule, min(600, round(1.6·n^0.56)). */
export const embeddingWidth = (codes: number): number => Math.min(600, Math.round(1.6 * codes ** 0.56));

/** Collects named initial parameters. Each depends on the seed and its own name only, not on the others. */
export class ParamBuilder {
  readonly params: ParamArrays = {};
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** Kernel with deviation `gain`/√in (LeCun), bias 0. */
  dense(name: string, inputs: number, outputs: number, gain = 1): void {
    this.normal(`${name}/kernel`, [inputs, outputs], gain / Math.sqrt(Math.max(1, inputs)));
    this.zeros(`${name}/bias`, [outputs]);
  }

  /** Square kernel `[k, k, in, out]` (transposed: `[k, k, out, in]`) with deviation `gain`/√(k²·in), bias 0. */
  conv(
    name: string,
    size: number,
    inputs: number,
    outputs: number,
    gain = 1,
    direction: 'straight' | 'transposed' = 'straight',
  ): void {
    // A transposed kernel spreads each input over its square: every output pixel gets one of its values an input.
    const fan = direction === 'straight' ? size * size * inputs : outputs;
    this.normal(`${name}/kernel`, [size, size, inputs, outputs], gain / Math.sqrt(fan));
    this.zeros(`${name}/bias`, [direction === 'straight' ? outputs : inputs]);
  }

  norm(name: string, width: number): void {
    this.params[`${name}/gain`] = { shape: [width], values: new Float32Array(width).fill(1) };
    this.zeros(`${name}/bias`, [width]);
  }

  /** A residual block begins near the identity: its second map is small. */
  residual(name: string, width: number): void {
    this.norm(`${name}/norm`, width);
    this.dense(`${name}/up`, width, width, Math.SQRT2);
    this.dense(`${name}/down`, width, width, 0.1);
  }

  /** The row of the unknown code (1) is zero: no cell of the training table has it, so it stays neutral. */
  embedding(name: string, codes: number, width: number): void {
    this.normal(`${name}/table`, [codes, width], 1 / Math.sqrt(width));
    this.params[`${name}/table`]!.values.fill(0, width, 2 * width);
  }

  zeros(name: string, shape: number[]): void {
    this.params[name] = { shape, values: new Float32Array(size(shape)) };
  }

  private normal(name: string, shape: number[], deviation: number): void {
    const seed = deriveSeed(this.seed, `init/${name}`);
    const values = drawNormal({ seed, domain: 'train', step: 0, call: 0 }, size(shape));
    for (let i = 0; i < values.length; i++) values[i]! *= deviation;
    this.params[name] = { shape, values };
  }
}

const size = (shape: number[]): number => shape.reduce((product, length) => product * length, 1);
