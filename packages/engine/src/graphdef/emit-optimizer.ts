import type { OptimizerSettings } from '../optimizer.ts';
import type { GraphWriter } from './writer.ts';

/** One parameter at the end of a step: names of its nodes. */
export interface Update {
  /** Handle of the variable, inside the loop. */
  param: string;
  m?: string;
  v?: string;
  /** Its value before the step. */
  value: string;
  gradient: string;
  /** Nodes that read the value: it is changed in place, after them. */
  readers: readonly string[];
  decays: boolean;
}

/** Scalars of the present step. */
export interface StepScalarNames {
  /** Adam: rate √(1 − β₂ᵗ) / (1 − β₁ᵗ). SGD: rate. */
  rate: string;
  /** ε √(1 − β₂ᵗ), the "epsilon hat" of Kingma & Ba, which is what TensorFlow takes. */
  epsilon: string;
  /** rate · weight decay. */
  decay: string;
}

const T = 'float32';

/** One optimizer step, a fused kernel for each parameter. @returns nodes that must run before the next step reads */
export function emitOptimizer(
  w: GraphWriter,
  settings: OptimizerSettings,
  updates: readonly Update[],
  scalars: StepScalarNames,
): string[] {
  const { clipNorm } = settings;
  const gradients = updates.map(({ gradient }) => gradient);
  const scale = clipNorm === undefined ? undefined : clipScale(w, gradients, clipNorm);
  const clipped = gradients.map((gradient) => (scale ? w.node('Mul', [gradient, scale], { T }) : gradient));
  return updates.flatMap((update, i) => {
    const after = update.readers.map((node) => `^${node}`);
    if (!update.decays || settings.weightDecay === 0) return [apply(w, settings, update, clipped[i]!, scalars, after)];
    const shrink = w.node('Mul', [update.value, scalars.decay], { T });
    const decayed = w.node('AssignSubVariableOp', [update.param, shrink, ...after], { dtype: T });
    return [decayed, apply(w, settings, update, clipped[i]!, scalars, [...after, `^${decayed}`])];
  });
}

/** min(1, clipNorm / (norm + 1e-6)), the formula of PyTorch's clip_grad_norm_. */
function clipScale(w: GraphWriter, gradients: readonly string[], clipNorm: number): string {
  // L2Loss is half the sum of squares.
  const halves = gradients.map((gradient) => w.node('L2Loss', [gradient], { T }));
  const half = halves.length === 1 ? halves[0]! : w.node('AddN', halves, { N: halves.length, T });
  const norm = w.node('Sqrt', [w.node('Mul', [half, w.scalar(2)], { T })], { T });
  const factor = w.node('RealDiv', [w.scalar(clipNorm), w.node('AddV2', [norm, w.scalar(1e-6)], { T })], { T });
  return w.node('Minimum', [factor, w.scalar(1)], { T });
}

function apply(
  w: GraphWriter,
  settings: OptimizerSettings,
  { param, m, v }: Update,
  gradient: string,
  { rate, epsilon }: StepScalarNames,
  after: string[],
): string {
  if (settings.kind === 'sgd')
    return m
      ? w.node('ResourceApplyMomentum', [param, m, rate, gradient, w.scalar(settings.momentum), ...after], { T })
      : w.node('ResourceApplyGradientDescent', [param, rate, gradient, ...after], { T });
  // The powers of β are in the rate already, computed in double.
  const powers = [w.scalar(0), w.scalar(0)];
  const numbers = [...powers, rate, w.scalar(settings.beta1), w.scalar(settings.beta2), epsilon];
  return w.node('ResourceApplyAdam', [param, m!, v!, ...numbers, gradient, ...after], { T });
}
