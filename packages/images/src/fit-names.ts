/** For manifests: importing this loads no decoder. */
export const FITS = ['crop', 'pad', 'stretch'] as const;
/** How a picture comes to another shape: its middle, black bars, or distorted. */
export type Fit = (typeof FITS)[number];
