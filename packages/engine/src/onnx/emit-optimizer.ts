import type { OptimizerSettings } from '../optimizer.ts';
import type { OnnxWriter } from './writer.ts';

/** Names of one tensor that is trained, at the end of a step. */
export interface Update {
  params: string;
  m?: string;
  v?: string;
  gradient: string;
  decays: boolean;
}

/** Scalars of the present step. */
export interface StepScalarNames {
  /** Adam: rate / (1 − β₁ᵗ) · √(1 − β₂ᵗ). SGD: rate. */
  rate: string;
  /** ε · √(1 − β₂ᵗ), the "epsilon hat" of Kingma & Ba. */
  epsilon: string;
  /** rate · weight decay. */
  decay: string;
}

/** What a tensor and its moments are after the step. */
export type Updated = Pick<Update, 'params' | 'm' | 'v'>;

/**
 * One optimizer step as a chain of operations on each tensor. Factors are gathered into scalars first: every operation
 * on a tensor is a pass through memory.
 */
export function emitOptimizer(
  w: OnnxWriter,
  settings: OptimizerSettings,
  updates: readonly Update[],
  scalars: StepScalarNames,
): Updated[] {
  const scale = settings.clipNorm === undefined ? undefined : clipScale(w, updates, settings.clipNorm);
  const scaled = (k: number) => (scale ? w.node('Mul', [scale, w.scalar(k)]) : w.scalar(k));
  const keep = settings.weightDecay > 0 ? w.node('Sub', [w.scalar(1), scalars.decay]) : undefined;
  const { beta1, beta2 } = settings;
  const [first, second] = [scaled(1 - beta1), scaled(1 - beta2)];
  const secondOfSquares = scale ? w.node('Mul', [scale, second]) : second;
  return updates.map((u) => {
    const params = keep && u.decays ? w.node('Mul', [u.params, keep]) : u.params;
    if (settings.kind === 'sgd') {
      const g = scale ? w.node('Mul', [u.gradient, scale]) : u.gradient;
      const m = u.m ? w.node('Add', [w.node('Mul', [u.m, w.scalar(settings.momentum)]), g]) : undefined;
      return { params: w.node('Sub', [params, w.node('Mul', [m ?? g, scalars.rate])]), m };
    }
    const m = w.node('Add', [w.node('Mul', [u.m!, w.scalar(beta1)]), w.node('Mul', [u.gradient, first])]);
    const squares = w.node('Mul', [u.gradient, u.gradient]);
    const v = w.node('Add', [w.node('Mul', [u.v!, w.scalar(beta2)]), w.node('Mul', [squares, secondOfSquares])]);
    const denominator = w.node('Add', [w.node('Sqrt', [v]), scalars.epsilon]);
    const update = w.node('Mul', [w.node('Div', [m, denominator]), scalars.rate]);
    return { params: w.node('Sub', [params, update]), m, v };
  });
}

/** min(1, clipNorm / (norm + 1e-6)) over all gradients together, the formula of PyTorch's clip_grad_norm_. */
function clipScale(w: OnnxWriter, updates: readonly Update[], clipNorm: number): string {
  const squares = updates.map(({ gradient }) => w.node('ReduceSumSquare', [gradient], { keepdims: 0 }));
  const norm = w.node('Sqrt', [squares.length === 1 ? squares[0]! : w.node('Sum', squares)]);
  const factor = w.node('Div', [w.scalar(clipNorm), w.node('Add', [norm, w.scalar(1e-6)])]);
  return w.node('Min', [factor, w.scalar(1)]);
}
