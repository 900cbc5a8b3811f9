/** The application a classifier says it is of: a model with a head on its features. */
export const CLASSIFIER = 'feature-classifier';
