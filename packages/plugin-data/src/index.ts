import { definePlugin } from '@hourglass/core';
import { exportStage } from './export-manifest.ts';
import { exportImages, images } from './images-manifest.ts';
import { ingest } from './ingest-manifest.ts';
import { join } from './join-manifest.ts';
import { profile } from './profile-manifest.ts';
import { split } from './split-manifest.ts';
import { sql } from './sql-manifest.ts';

export default definePlugin({
  name: 'data',
  summary: 'Tables and pictures in and out: read, split, join, query, compare and write them',
  stages: { ingest, images, split, join, sql, profile, export: exportStage, 'export-images': exportImages },
});
export { exportImages, exportStage, images, ingest, join, profile, split, sql };
