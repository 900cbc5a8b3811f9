/** Bodies of a network over any table. */
export const ARCHITECTURES = ['residual', 'mlp', 'linear'] as const;
/** And those over a row that is an image. */
export const IMAGE_ARCHITECTURES = [...ARCHITECTURES, 'conv'] as const;
export type Architecture = (typeof IMAGE_ARCHITECTURES)[number];
