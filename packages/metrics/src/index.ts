export { bayesianRidge, type LinearModel, type RegressionMoments } from './bayesian-ridge.ts';
export { accuracy } from './classification.ts';
export { columnRange, minMaxScale, type ColumnRange } from './column-scaling.ts';
export { scoreHidden, type HiddenColumnScore, type HiddenScore } from './hidden-cells.ts';
export { iceImpute, type IceResult } from './ice-imputer.ts';
export { knnImpute } from './knn-imputer.ts';
export { fitPca, pcaReconstruct, pcaTransform, type NumberMatrix, type Pca } from './pca.ts';
export { mae, r2, rmse } from './regression.ts';
export { columnMean, columnMedian, columnMode, fillColumns } from './simple-fill.ts';
