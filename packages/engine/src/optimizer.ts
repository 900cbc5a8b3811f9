import { HourglassError } from '@hourglass/core';

import type { ParamLayout } from './flat-params.ts';
import type { OptimizerSpec } from './types.ts';

/** An {@link OptimizerSpec} with every default filled in. */
export interface OptimizerSettings {
  kind: OptimizerSpec['kind'];
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  momentum: number;
  clipNorm: number | undefined;
}

/** @throws OPTION_INVALID weight decay asked of an optimizer that has none */
export function optimizerSettings(spec: OptimizerSpec): OptimizerSettings {
  if (spec.weightDecay && spec.kind !== 'adamw')
    throw new HourglassError(
      'OPTION_INVALID',
      `Optimizer ${spec.kind} has no decoupled weight decay (found ${spec.weightDecay}). Use adamw, or leave it out.`,
    );
  return {
    kind: spec.kind,
    weightDecay: spec.weightDecay ?? 0,
    beta1: spec.beta1 ?? 0.9,
    beta2: spec.beta2 ?? 0.999,
    epsilon: spec.epsilon ?? 1e-8,
    momentum: spec.momentum ?? 0,
    clipNorm: spec.clipNorm,
  };
}

/** Which moments an optimizer keeps, as slot prefixes of {@link TrainingState}. */
export function momentNames(settings: OptimizerSettings): ('m' | 'v')[] {
  if (settings.kind === 'sgd') return settings.momentum > 0 ? ['m'] : [];
  return ['m', 'v'];
}

/** The numbers of one step that depend on its index, computed in double so that 1 − βᵗ keeps its digits. */
export interface StepScalars {
  /** AdamW, Adam: rate / (1 − β₁ᵗ). SGD: rate. */
  stepSize: number;
  /** 1 / √(1 − β₂ᵗ). */
  rootCorrection: number;
  /** 1 − rate · weight decay. */
  decay: number;
}

/** @param step 0-based */
export function stepScalars(settings: OptimizerSettings, rate: number, step: number): StepScalars {
  const decay = 1 - rate * settings.weightDecay;
  if (settings.kind === 'sgd') return { stepSize: rate, rootCorrection: 1, decay };
  return {
    stepSize: rate / (1 - settings.beta1 ** (step + 1)),
    rootCorrection: 1 / Math.sqrt(1 - settings.beta2 ** (step + 1)),
    decay,
  };
}

/** Factor that brings gradients of norm `norm` down to `clipNorm` (the formula of PyTorch's clip_grad_norm_). */
export const clipFactor = (clipNorm: number, norm: number): number => Math.min(1, clipNorm / (norm + 1e-6));

/** Flat state of a training. */
export interface FlatState {
  params: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

/**
 * One optimizer step over flat vectors, in place; arithmetic in double, state in float32.
 * AdamW: Loshchilov & Hutter 2019; Adam: Kingma & Ba 2015; SGD with momentum as PyTorch has it.
 */
export function applyStep(
  settings: OptimizerSettings,
  layout: ParamLayout,
  { params, m, v }: FlatState,
  gradient: Float32Array,
  { stepSize, rootCorrection, decay }: StepScalars,
): void {
  let scale = 1;
  if (settings.clipNorm !== undefined) {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
    scale = clipFactor(settings.clipNorm, Math.sqrt(sum));
  }
  const { beta1, beta2, epsilon, momentum } = settings;
  for (const { start, end, decays } of layout.slices) {
    const keep = decays && settings.weightDecay > 0 ? decay : 1;
    if (settings.kind === 'sgd')
      for (let i = start; i < end; i++) {
        m[i] = momentum * m[i]! + scale * gradient[i]!;
        params[i] = params[i]! - stepSize * m[i]!;
      }
    else
      for (let i = start; i < end; i++) {
        const g = scale * gradient[i]!;
        m[i] = beta1 * m[i]! + (1 - beta1) * g;
        v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
        params[i] = keep * params[i]! - (stepSize * m[i]!) / (Math.sqrt(v[i]!) * rootCorrection + epsilon);
      }
  }
}
