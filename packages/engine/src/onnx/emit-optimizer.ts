import type { OptimizerSettings } from '../optimizer.ts';
import type { OnnxWriter } from './writer.ts';

/** Names of the flat vectors of a training, and of the scalars of the present step. */
export interface OptimizerNames {
  params: string;
  m?: string;
  v?: string;
  gradient: string;
  /** Adam: rate / (1 − β₁ᵗ) · √(1 − β₂ᵗ). SGD: rate. */
  rate: string;
  /** ε · √(1 − β₂ᵗ), the "epsilon hat" of Kingma & Ba. */
  epsilon: string;
  /** rate · weight decay. */
  decay: string;
  /** 1 where weight decay applies, 0 elsewhere; none when it applies nowhere. */
  decayMask?: string;
}

/**
 * One optimizer step as a chain of operations on flat vectors. Factors are gathered into scalars first: every operation
 * on a vector is a pass through memory.
 */
export function emitOptimizer(
  w: OnnxWriter,
  settings: OptimizerSettings,
  n: OptimizerNames,
): { params: string; m?: string; v?: string } {
  let scale: string | undefined;
  if (settings.clipNorm !== undefined) {
    const norm = w.node('Sqrt', [w.node('ReduceSumSquare', [n.gradient], { keepdims: 0 })]);
    const factor = w.node('Div', [w.scalar(settings.clipNorm), w.node('Add', [norm, w.scalar(1e-6)])]);
    scale = w.node('Min', [factor, w.scalar(1)]);
  }
  const scaled = (k: number) => (scale ? w.node('Mul', [scale, w.scalar(k)]) : w.scalar(k));
  let params = n.params;
  if (n.decayMask) params = w.node('Sub', [params, w.node('Mul', [params, w.node('Mul', [n.decayMask, n.decay])])]);
  if (settings.kind === 'sgd') {
    const g = scale ? w.node('Mul', [n.gradient, scale]) : n.gradient;
    const m = n.m ? w.node('Add', [w.node('Mul', [n.m, w.scalar(settings.momentum)]), g]) : undefined;
    return { params: w.node('Sub', [params, w.node('Mul', [m ?? g, n.rate])]), m };
  }
  const { beta1, beta2 } = settings;
  const m = w.node('Add', [w.node('Mul', [n.m!, w.scalar(beta1)]), w.node('Mul', [n.gradient, scaled(1 - beta1)])]);
  const squares = w.node('Mul', [n.gradient, n.gradient]);
  const second = scale ? w.node('Mul', [w.node('Mul', [scale, scale]), w.scalar(1 - beta2)]) : w.scalar(1 - beta2);
  const v = w.node('Add', [w.node('Mul', [n.v!, w.scalar(beta2)]), w.node('Mul', [squares, second])]);
  const denominator = w.node('Add', [w.node('Sqrt', [v]), n.epsilon]);
  const update = w.node('Mul', [w.node('Div', [m, denominator]), n.rate]);
  return { params: w.node('Sub', [params, update]), m, v };
}
