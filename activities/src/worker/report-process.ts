import { cacheKey, openStore } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { collectReport, renderHtml } from '@hourglass/report';
import type { ReportAnswer, ReportTask } from './write-report.ts';

process.once('message', (task: ReportTask) => {
  void write(task).then((answer) => process.send!(answer, () => process.disconnect()));
});

/** The report is the run's, not a result that another run could take: its record keeps it as long as results are kept. */
async function write({ location, record }: ReportTask): Promise<ReportAnswer> {
  try {
    const store = await openStore(location);
    const { artifacts } = store;
    const page = await renderHtml(await collectReport(store, record));
    const { id: run } = record;
    const part = { key: 'report.html', ...(await artifacts.putBlob(new TextEncoder().encode(page))) };
    const ref = await artifacts.put({ kind: 'report', parts: [part], meta: { run } });
    const parts = {
      stage: 'report',
      version: '1',
      options: { run, digest: ref.digest },
      inputs: {},
      sources: {},
      seed: 0,
      libraries: {},
    };
    await store.cache.put({ key: cacheKey(parts), parts, result: { outputs: { report: ref }, metrics: {} } });
    return { ok: true, digest: ref.digest };
  } catch (error) {
    const own = error instanceof HourglassError ? error : new HourglassError('INTERNAL', (error as Error).message);
    return { ok: false, error: own.toJSON() };
  }
}
