export { identityExample, type Application, type Example } from './application/application.ts';
export {
  defineApplication,
  type DefinedApplication,
  type MemberItem,
  type MemberReport,
  type MemberResult,
} from './application/define.ts';
export { defineLatentApplication, type DefinedLatentApplication } from './application/latent.ts';
export { prepareLesson, trainMember, type Lesson } from './application/learn.ts';
export { splitCells, splitRows, type Split } from './application/split.ts';
export { answerType, decodeCell, decodeTable, type DecodeOptions, type Reconstruction } from './columns/decode.ts';
export { encodeTable, type EncodedTable } from './columns/encode.ts';
export {
  classCount,
  codeCount,
  columnCount,
  FIRST_CATEGORY,
  MISSING_CODE,
  tableLayout,
  UNKNOWN_CODE,
  type BooleanEncoder,
  type CategoryEncoder,
  type ColumnEncoder,
  type NumberEncoder,
  type TableEncoder,
  type TableLayout,
  type VectorEncoder,
} from './columns/encoder.ts';
export { fitTable, type FitOptions, type Fitted, type TableSource } from './columns/fit.ts';
export type { Normalisation } from './columns/normalisations.ts';
export { denormalise, fitNormaliser, normalise, type Normaliser } from './columns/normaliser.ts';
export { encodeSample, takeTableRows } from './columns/sample.ts';
export { checkSchema } from './columns/schema.ts';
export { realColumns, realMatrix, withReals, type RealColumn } from './columns/reals.ts';
export { concatRows, takeRows, toData, type TableBatch } from './model/data.ts';
export { augment } from './images/augment.ts';
export { defineImageApplication, type ImageApplication } from './images/image-application.ts';
export type { ImageAnswer } from './images/image-answer.ts';
export { loadImageModel, saveImageModel, type ImageModel, type ImageModelDescription } from './images/image-model.ts';
export { imagePredictor, type ImagePredictor } from './images/image-predictor.ts';
export type { Patches } from './images/patches.ts';
export { unet, type Unet, type UnetSpec } from './images/unet.ts';
export { applyRows, type ApplyContext, type ApplySpec } from './model/apply.ts';
export { checkDims, encodeRows, type EncodeRowsOptions } from './model/encode-rows.ts';
export { loadHead, putHead, type Head, type HeadTarget } from './model/head.ts';
export { refuseLearnedLabel } from './model/refuse-label.ts';
export { heldOutBand, type HeldOut, type Model, type ModelDescription, type ReadOut } from './model/model.ts';
export { predictor, type Predictor } from './model/predictor.ts';
export { readSafetensors, writeSafetensors, type NamedArray } from './model/safetensors.ts';
export { loadModel, saveModel } from './model/save.ts';
export { putFilePair, readFilePair, type FilePair } from './model/model-files.ts';
export { exactNeighbours } from './neighbours/exact-neighbours.ts';
export { graphOfRows, neighbourGraph, type GraphOptions, type NeighbourGraph } from './neighbours/neighbour-graph.ts';
export { buildNetwork } from './network/build.ts';
export { addNoise, hideCells, keepFirstLatents, swapCells, swappedInput } from './network/corruptions.ts';
export { gaussianFill } from './network/gaussian-fill.ts';
export { fitGaussian, type Gaussian, type GaussianFitOptions } from './network/gaussian-fit.ts';
export type { Network, NetworkSpec, PreparedInput, TableInput } from './network/network.ts';
export { cellLoss, readOutput, type TableLossOptions, type TableTarget } from './network/table-loss.ts';
export { exportImageModel } from './onnx/export-image-model.ts';
export { exportModel, type ExportedModel } from './onnx/export-model.ts';
export type { ModelOutput } from './options.ts';
export type { CurvePoint, RowLoss, Trained, TrainingOptions, TrainingProgress, TrainingTask } from './training/task.ts';
export { reportProgress } from './training/report-progress.ts';
export { train, type TrainingHooks } from './training/train.ts';
export { trainedMetrics } from './training/trained-metrics.ts';
export { tableFromHeads } from './variational/cells.ts';
export {
  generatorPasses,
  type DecoderAnswers,
  type GeneratorPasses,
  type GroupAnswer,
} from './variational/generator.ts';
export type { ColumnHead } from './variational/heads.ts';
export { rowBounds, type LatentDensity, type RowBoundOptions } from './variational/bound.ts';
export { prepareVariational, trainVariational, type VariationalLesson } from './variational/learn.ts';
