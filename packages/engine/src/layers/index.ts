export { gelu, silu } from './activations.ts';
export { withGradient } from './custom-gradient.ts';
export { groupNorm, layerNorm } from './norms.ts';
