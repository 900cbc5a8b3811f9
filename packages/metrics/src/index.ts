export { bayesianRidge, type RegressionMoments } from './bayesian-ridge.ts';
export { benjaminiHochberg, conformalPValue, falseAlarmInterval } from './conformal.ts';
export { accuracy } from './classification.ts';
export {
  columnDrift,
  columnReference,
  type ColumnDrift,
  type ColumnReference,
  type DriftCells,
} from './column-drift.ts';
export { driftVerdict, type DriftLimits, type DriftVerdict } from './drift-verdict.ts';
export { columnRange, minMaxScale, type ColumnRange } from './column-scaling.ts';
export { scoreHidden, type HiddenColumnScore, type HiddenScore } from './hidden-cells.ts';
export { iceImpute, type IceResult } from './ice-imputer.ts';
export { knnImpute } from './knn-imputer.ts';
export { linearPredictions, type LinearModel } from './linear-model.ts';
export { fitLogistic, logisticProbabilities, mostProbable, type LogisticModel } from './logistic-regression.ts';
export { columnMeans, evenly, takeRows } from './matrix-rows.ts';
export { nearestNeighbours, type Neighbours } from './nearest-neighbours.ts';
export { neighbourVotes, precisionAtK } from './neighbour-votes.ts';
export { fitPca, pcaReconstruct, pcaTransform, type NumberMatrix, type Pca } from './pca.ts';
export { mae, r2, rmse } from './regression.ts';
export { fitRidge, type RidgeOptions } from './ridge-regression.ts';
export { scoreReconstruction, type ReconstructionScore } from './squared-error.ts';
export { columnMean, columnMedian, columnMode, fillColumns } from './simple-fill.ts';
export { neighbourhoodScore, type NeighbourhoodScore } from './trustworthiness.ts';
export { fitParetoTail, paretoTailProbability, paretoTailQuantile, type ParetoTail } from './generalised-pareto.ts';
export { fitIsolationForest, isolationScore, type IsolationForest } from './isolation-forest.ts';
export { localDensity, localOutlierFactor, type LocalDensity } from './local-outlier-factor.ts';
export { fitHistogram, histogramSurprise, type MarginalHistogram } from './marginal-histogram.ts';
export { neighbourIndex, type NeighbourIndex } from './neighbour-index.ts';
export { auroc, averagePrecision, precisionAt } from './ranking.ts';
export {
  meanSquaredError,
  pictureScorer,
  psnrOf,
  ssim,
  type PictureScore,
  type Samples,
} from './images/picture-quality.ts';
export { gaussianFilter, medianFilter, totalVariation } from './images/filters.ts';
export { fitPatchBasis, pcaWiener, type PatchBasis } from './images/pca-wiener.ts';
export { colourfulness } from './images/colourfulness.ts';
export {
  fitGaussianMixture,
  mixtureLogDensity,
  mixtureShares,
  sampleMixture,
  type GaussianMixture,
  type MixtureOptions,
} from './gaussian-mixture.ts';
export {
  closestDistances,
  fitRecordSpace,
  nearerShare,
  placeRecords,
  wilsonInterval,
  type RecordSpace,
} from './closest-record.ts';
export {
  columnShape,
  correlation,
  tableSimilarity,
  type ComparedColumn,
  type TableSimilarity,
} from './column-similarity.ts';
export { fitGaussianCopula, independentColumns, sampleCopula, type GaussianCopula } from './gaussian-copula.ts';
export { normalProbability, normalQuantile } from './normal.ts';
export { fitRandomForest, forestProbabilities, type ForestOptions, type RandomForest } from './random-forest.ts';
export { lowerBound } from './sorted-search.ts';
export { movingMedian, neighbourMeans, wienerBasis, wienerRows } from './row-filters.ts';
