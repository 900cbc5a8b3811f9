// Data only: manifests read it.

export const NORMALISATIONS = ['rank-gauss', 'standard', 'robust', 'min-max', 'pooled'] as const;
/**
 * How a numeric column becomes a network input. `rank-gauss`: quantile → normal, unit variance. `pooled`: its own mean, one
 * scale for all columns, so that errors count in the table's own unit (pixels, spectra).
 */
export type Normalisation = (typeof NORMALISATIONS)[number];
