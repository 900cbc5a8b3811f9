import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { compile, formatDiagnostics, HourglassError, type RunState } from '@hourglass/core';
import { createRunner, runPipeline } from '@hourglass/runtime';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { idlePlugin } from './idle-plugin.ts';

export const name = 'fanout';
export const summary = 'One run over many items that do nothing: time an item, size of the state, memory of the host';

const PIPELINE = `hourglass: v1
name: fanout
params: { items: { type: list } }
stages:
  each:
    uses: idle/nothing
    forEach: { in: "\${{ params.items }}", as: item, maxParallel: 16 }
    with: { value: "\${{ item }}" }
`;

export async function run({ rows: items = 10_000, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  const plugins = await idlePlugin();
  const { plan, diagnostics } = compile({ text: PIPELINE, file: 'fanout.yaml' }, plugins.registry);
  if (!plan) throw new HourglassError('INTERNAL', formatDiagnostics(diagnostics));
  const store = await openStore(join(folder, 'store'));
  const rows: Record<string, string | number>[] = [];
  try {
    for (const what of ['first run', 'again, all cached']) {
      log(what);
      const runner = createRunner({ store, plugins });
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      let [state, memory, events] = [0, before, 0];
      const watch = (next: RunState): void => {
        events++;
        if (events % 500 !== 0) return;
        state = Math.max(state, JSON.stringify(next).length);
        memory = Math.max(memory, process.memoryUsage().rss);
        if (events % 5000 === 0) log(`${next.stages.each?.fan?.done} of ${items} items`);
      };
      const start = performance.now();
      try {
        const record = await runPipeline({
          plan,
          store,
          runner,
          plugins,
          baseDir: folder,
          outDir: folder,
          params: { items: Array.from({ length: items }, (_, i) => i) },
          onEvent: (_, next) => watch(next),
        });
        if (record.status !== 'succeeded') throw new HourglassError('INTERNAL', record.error?.message ?? record.status);
        const seconds = (performance.now() - start) / 1000;
        rows.push({
          what,
          items,
          seconds: Number(seconds.toFixed(1)),
          'ms an item': Number(((1000 * seconds) / items).toFixed(2)),
          'largest state kB': Math.round(state / 1000),
          'state at the end kB': Math.round(JSON.stringify(record.state).length / 1000),
          'host memory over its base MB': Math.round((memory - before) / 2 ** 20),
          'log MB': Number(
            ((await stat(join(store.driver.localFolder, 'runs', record.id, 'events.jsonl'))).size / 1e6).toFixed(1),
          ),
        });
      } finally {
        await runner.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    rows,
    notes: [
      `the items themselves (${Math.round(JSON.stringify(Array.from({ length: items }, (_, i) => i)).length / 1000)} kB of params) are part of the state`,
    ],
  };
}
