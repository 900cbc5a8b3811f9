/** Bodies of a network over any table. */
export const ARCHITECTURES = ['residual', 'mlp', 'linear'] as const;
/** And those over a row that is an image. */
export const IMAGE_ARCHITECTURES = [...ARCHITECTURES, 'conv'] as const;
/** Those of variational networks. */
export const VARIATIONAL_ARCHITECTURES = ['residual', 'conv'] as const;
export type VariationalArchitecture = (typeof VARIATIONAL_ARCHITECTURES)[number];
export type Architecture = (typeof IMAGE_ARCHITECTURES)[number];
