import { definePlugin } from '@hourglass/core';
import { exportStage } from './export-manifest.ts';
import { ingest } from './ingest-manifest.ts';
import { profile } from './profile-manifest.ts';
import { split } from './split-manifest.ts';

export default definePlugin({
  name: 'data',
  summary: 'Tables in and out: read, split, compare and write them',
  stages: { ingest, split, profile, export: exportStage },
});
export { exportStage, ingest, profile, split };
