import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HourglassError } from '@hourglass/core';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { threeDigits } from './rounded.ts';
import { median } from './spread.ts';
import { startChild } from './temporal/child.ts';
import { COMMAND, temporalPlace, type Ran } from './temporal/place.ts';

export const name = 'temporal';
export const summary =
  'Stages on Temporal beside its own activities that do nothing; many partitions; memory; starting up';

/** The cost of one is the difference of two lengths: what a run costs in itself is not part of it. */
const SHORT = 10;
const SEQUENTIAL = 60;
const PARALLEL = 510;

/** Each stage takes the output of the one before and writes 1 KB. */
function chain(length: number): string {
  const stages = Array.from(
    { length },
    (_, i) =>
      `  s${i}: { uses: idle/relay, with: { value: "\${{ params.value }}"${i > 0 ? `, model: "\${{ stages.s${i - 1}.model }}"` : ''} } }`,
  );
  return `hourglass: v1\nname: chain\nparams: { value: { type: number } }\nstages:\n${stages.join('\n')}\n`;
}

/** Items side by side, each with the same input and an output of its own. */
function fan(maxParallel: number, failureBudget = 0): string {
  return `hourglass: v1
name: fan
params: { value: { type: number }, items: { type: list }, fail: { type: string, default: '' } }
stages:
  first: { uses: idle/relay, with: { value: "\${{ params.value }}" } }
  each:
    uses: idle/relay
    forEach: { in: "\${{ params.items }}", as: item, maxParallel: ${maxParallel}, failureBudget: ${failureBudget} }
    with: { value: "\${{ params.value }}", item: "\${{ item }}", fail: "\${{ params.fail }}", model: "\${{ stages.first.model }}" }
    retry: { maxAttempts: 1 }
`;
}

const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

export async function run({ rows: partitions = 10_000, seeds = 3, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  log('hourglass dev, from its start until its worker polls');
  const ready = await devReady(seeds);
  const place = await temporalPlace(log);
  try {
    const worker = await place.child([COMMAND, 'worker']);
    await sleep(5000);
    const idle = worker.memory().now;
    const raw = fileURLToPath(new URL('./temporal/raw-worker.ts', import.meta.url));
    const rawWorker = ['--import', import.meta.resolve('tsx'), raw, place.env.TEMPORAL_ADDRESS];
    await place.child([...rawWorker, 'raw']);
    const cores = availableParallelism();
    await place.child([...rawWorker, 'raw-cores', String(cores)]);
    let value = 0;
    const ours = (text: string, more: object = {}): Promise<Ran> => place.run(text, { value: ++value, ...more });
    // Warm: bundles loaded, processes started.
    for (const warm of [chain(3), fan(8)])
      await ours(warm, warm.startsWith('hourglass: v1\nname: fan') ? { items: count(8) } : {});
    for (const queue of ['raw', 'raw-cores']) await place.raw('parallel', 20, queue);

    const figures = { rawSequential: [], sequential: [], rawParallel: [], rawCores: [], parallel: [] } as Record<
      string,
      number[]
    >;
    const each = (long: Ran, short: Ran, items: number): number => (1000 * (long.seconds - short.seconds)) / items;
    for (let i = 0; i < seeds; i++) {
      log(`one by one and side by side: ${i + 1} of ${seeds}`);
      figures.rawSequential!.push(
        each(await place.raw('sequential', SEQUENTIAL), await place.raw('sequential', SHORT), SEQUENTIAL - SHORT),
      );
      figures.sequential!.push(each(await ours(chain(SEQUENTIAL)), await ours(chain(SHORT)), SEQUENTIAL - SHORT));
      figures.rawParallel!.push(
        each(await place.raw('parallel', PARALLEL), await place.raw('parallel', SHORT), PARALLEL - SHORT),
      );
      figures.rawCores!.push(
        each(
          await place.raw('parallel', PARALLEL, 'raw-cores'),
          await place.raw('parallel', SHORT, 'raw-cores'),
          PARALLEL - SHORT,
        ),
      );
      figures.parallel!.push(
        each(
          await ours(fan(500), { items: count(PARALLEL) }),
          await ours(fan(500), { items: count(SHORT) }),
          PARALLEL - SHORT,
        ),
      );
    }
    const compared = (what: string, our: number[], their: number[]): Record<string, string | number> => ({
      what,
      'raw activity': `${threeDigits(median(their))} ms (${threeDigits(Math.min(...their))} … ${threeDigits(Math.max(...their))})`,
      ours: `${threeDigits(median(our))} ms (${threeDigits(Math.min(...our))} … ${threeDigits(Math.max(...our))})`,
      ratio: Number((median(our) / median(their)).toFixed(2)),
      target: '≤ 1.5',
    });
    const rows = [
      compared('a stage, one after the other', figures.sequential!, figures.rawSequential!),
      compared('a stage, 500 side by side', figures.parallel!, figures.rawParallel!),
      compared(`the same, raw with ${cores} at once as well`, figures.parallel!, figures.rawCores!),
      { what: 'worker, idle', ours: `${idle} MiB`, target: '≤ 250 MiB' },
      {
        what: '`hourglass dev` until its worker polls',
        ours: `${threeDigits(median(ready))} s (${threeDigits(Math.min(...ready))} … ${threeDigits(Math.max(...ready))})`,
        target: '≤ 10 s',
      },
    ];
    const many = async (what: string, text: string, more: object, wanted: string): Promise<void> => {
      log(what);
      const ran = await ours(text, more);
      if (ran.status !== wanted)
        throw new HourglassError('INTERNAL', `${what}: expected ${wanted}, found ${ran.status}`);
      rows.push({
        what,
        ours: `${ran.status.toLowerCase()} in ${threeDigits(ran.seconds)} s; ${ran.events} events in ${ran.histories} ${ran.histories === 1 ? 'history' : 'histories'}, ${ran.kB} kB; worker at most ${worker.memory().most} MiB`,
        target: '',
      });
    };
    const thousand = { items: count(1000), fail: '3,500,997' };
    await many('1000 partitions, 3 always fail, budget 3', fan(64, 3), thousand, 'COMPLETED');
    value--;
    await many('the same again, budget 2: 997 from the cache', fan(64, 2), thousand, 'FAILED');
    await many(`${partitions} partitions`, fan(64), { items: count(partitions) }, 'COMPLETED');
    return {
      rows,
      notes: [
        `a stage: one input ref, one output of 1 KB written and synced, a record in the cache; warm processes; (time of ${SEQUENTIAL} − time of ${SHORT}) / ${SEQUENTIAL - SHORT}, side by side ${PARALLEL} and ${SHORT}; by the server’s clock; median of ${seeds}, best … worst`,
        'raw: a worker with Temporal’s defaults (a hundred activities at once), an activity that gives its argument back in the worker itself, nothing written; the same server (1.32, in memory), alternating',
        `ours: ${cores} stages compute at once, one a core, each in a process of its own, with its lookup before and its durable writes after; that work is in the ratio`,
        'worker memory: resident set of the worker’s own process',
      ],
    };
  } finally {
    await place.close();
  }
}

async function devReady(times: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
    const port = String(17_300 + Math.floor(Math.random() * 500));
    try {
      const env = { ...process.env, HOURGLASS_HOME: join(folder, 'store') };
      const dev = await startChild([COMMAND, 'dev', '--port', port], { cwd: folder, env, ready: 'worker polls' });
      all.push(dev.readyMs / 1000);
      await dev.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return all;
}
