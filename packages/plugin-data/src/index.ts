import { definePlugin } from '@hourglass/core';
import { exportStage } from './export-manifest.ts';
import { exportImages, images } from './images-manifest.ts';
import { ingest } from './ingest-manifest.ts';
import { join } from './join-manifest.ts';
import { pixels } from './pixels-manifest.ts';
import { profile } from './profile-manifest.ts';
import { split } from './split-manifest.ts';
import { sql } from './sql-manifest.ts';
import { unwindow, window } from './window-manifest.ts';

export default definePlugin({
  name: 'data',
  summary: 'Tables and pictures in and out: read, split, join, query, window, compare and write them',
  stages: {
    ingest,
    images,
    pixels,
    split,
    join,
    sql,
    window,
    unwindow,
    profile,
    export: exportStage,
    'export-images': exportImages,
  },
});
export { exportImages, exportStage, images, ingest, join, pixels, profile, split, sql, unwindow, window };
