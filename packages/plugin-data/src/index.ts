import { definePlugin } from '@hourglass/core';
import { ingest } from './ingest-manifest.ts';
import { split } from './split-manifest.ts';

export default definePlugin({
  name: 'data',
  summary: 'Tables in and out: read, split, join, query, profile and write them',
  stages: { ingest, split },
});
export { ingest, split };
