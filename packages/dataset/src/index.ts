export { assignByTime, assignGroups, assignRandomly, assignStratified, type Assignment } from './assign-rows.ts';
export { columnRanges, type ColumnRange } from './column-ranges.ts';
export { chooseColumns, freshName } from './columns.ts';
export { checkContract, contractViolated, findViolations, type Contract, type Violation } from './contract.ts';
export type { CsvOptions } from './csv-source.ts';
export { ingest, ingestWithQuarantine, type IngestOptions, type Quarantined } from './ingest.ts';
export { joinDatasets, type Joined, type JoinOptions } from './join-datasets.ts';
export type { JoinOn, Relationship } from './join-keys.ts';
export { openDataset } from './open-dataset.ts';
export { profileDataset, type ColumnProfile, type DatasetProfile } from './profile.ts';
export { emptyQuarantine } from './quarantine.ts';
export { queryDataset, type QueryDatasetOptions } from './query-dataset.ts';
export { querySql, type QuerySqlOptions } from './query-sql.ts';
export { readRecords, writeRecords, type Cell, type DataRecord, type WriteRecordsOptions } from './records.ts';
export { concatTables, sampleRows } from './sample-rows.ts';
export { stackDatasets } from './stack-datasets.ts';
export type { Sample } from './sampling.ts';
export { ident } from './sql.ts';
export { SOURCE_FORMATS, type SourceFormat } from './source-format.ts';
export * from './types.ts';
export { unwindowRows, type UnwindowOptions } from './unwindow-rows.ts';
export type { Unify } from './unify.ts';
export { windowRows, type Windowed, type WindowOptions } from './window-rows.ts';
export { isSingle } from './vectors.ts';
export { eachPart, writeDataset, type WriteDatasetOptions, type WritePart } from './write-dataset.ts';
export {
  EXPORT_FORMATS,
  exportDataset,
  type Exported,
  type ExportFormat,
  type ExportOptions,
} from './export-dataset.ts';
export { exportPartitions, type ExportedPartitions, type ExportPartitionsOptions } from './export-partitions.ts';
