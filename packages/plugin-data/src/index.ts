import { definePlugin } from '@hourglass/core';
import { exportStage } from './export-manifest.ts';
import { ingest } from './ingest-manifest.ts';
import { split } from './split-manifest.ts';

export default definePlugin({
  name: 'data',
  summary: 'Tables in and out: read, split and write them',
  stages: { ingest, split, export: exportStage },
});
export { exportStage, ingest, split };
