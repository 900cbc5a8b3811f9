/** The application an index says it is of: a model that also holds the objects to find. */
export const INDEX = 'object-matching-index';
