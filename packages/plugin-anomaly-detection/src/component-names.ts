/**
 * Ways to look at a row. `reconstruction`: mean normalised log error of its cells; `latent`: distance to the nearest
 * training latents; `nearest`: distance to the nearest training rows; `local`: how much thinner it lies than its
 * neighbours (local outlier factor); `marginal`: how rare its values are, each by itself.
 */
export const COMPONENTS = ['reconstruction', 'latent', 'nearest', 'local', 'marginal'] as const;
export type Component = (typeof COMPONENTS)[number];
