export { openDataset } from './open-dataset.ts';
export { queryDataset, type QueryDatasetOptions } from './query-dataset.ts';
export * from './types.ts';
export { writeDataset, type WriteDatasetOptions, type WritePart } from './write-dataset.ts';
