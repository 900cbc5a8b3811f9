/** The application that a model with a head on its features says it is of. */
export const HEAD = 'feature-head';
