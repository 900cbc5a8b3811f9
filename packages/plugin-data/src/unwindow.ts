import { unwindowRows } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import type { unwindow } from './window-manifest.ts';

export const run: StageRun<typeof unwindow> = async (context, { data, windows }, options) => {
  context.progress(undefined, `bringing ${options.columns.join(', ')} back to ${data.rows ?? ''} rows`);
  return { data: await unwindowRows(context.artifacts, data, windows, options) };
};
