import type { Architecture } from '../architectures.ts';
import type { MakeBody } from './body.ts';
import { convBody } from './conv.ts';
import { mlpBody } from './mlp.ts';
import { residualBody } from './residual.ts';

export const BODIES: Record<Architecture, MakeBody> = {
  residual: residualBody,
  mlp: mlpBody,
  linear: mlpBody,
  conv: convBody,
};
