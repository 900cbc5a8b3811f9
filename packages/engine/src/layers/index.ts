export { gelu, silu } from './activations.ts';
export { batchNorm, type BatchNormParams } from './batch-norm.ts';
export { withGradient } from './custom-gradient.ts';
export { groupNorm, layerNorm } from './norms.ts';
