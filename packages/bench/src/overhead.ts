import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openStore } from '@hourglass/artifacts';
import { compile, HourglassError, type StageTask } from '@hourglass/core';
import { createRunner, discoverPlugins } from '@hourglass/runtime';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { threeDigits } from './rounded.ts';
import { median } from './spread.ts';
import { idlePlugin } from './idle-plugin.ts';

export const name = 'overhead';
export const summary = 'What Hourglass itself takes: compiling, planning, starting warm, one stage in a warm process';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PIPELINE = 'workflows/pipelines/wdbc-imputation.yaml';
const STAGES = 200;

export async function run({ seeds = 5, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  try {
    log('compile');
    const compiled = await compileTimes(seeds * 2);
    log('stages that do nothing');
    const stages = await stageTimes(join(folder, 'idle'), seeds * 40);
    log('the quickstart, first run');
    const place = ['--store', join(folder, 'store'), '--out', folder];
    const first = await timed(['start', '--', ...place]);
    const warm: number[] = [];
    const planned: number[] = [];
    for (let i = 0; i < seeds; i++) {
      log(`the quickstart, warm: ${i + 1} of ${seeds}`);
      const { ms, out } = await timed(['start', '--', ...place]);
      if (!out.includes('all stages cached'))
        throw new HourglassError('INTERNAL', `the quickstart was not all hits:\n${out}`);
      warm.push(ms);
      planned.push((await timed(['run', '--silent', 'hourglass', '--', 'plan', PIPELINE, ...place], 'node')).ms);
    }
    const row = (what: string, times: number[], target: string): Record<string, string | number> => ({
      what,
      'median ms': threeDigits(median(times)),
      'best ms': threeDigits(Math.min(...times)),
      'worst ms': threeDigits(Math.max(...times)),
      target,
    });
    return {
      rows: [
        row(`compile, ${STAGES} stages`, compiled.warm, '< 100'),
        row(`compile, ${STAGES} stages, first in a process`, [compiled.cold], ''),
        row('a stage that does nothing, warm process', stages.warm, '≤ 15'),
        row('the same, taken from the cache', stages.hit, ''),
        row('`hourglass plan` of the quickstart, all cached', planned, '< 500'),
        row('`npm start`, all cached', warm, '< 3000'),
        row('`npm start`, first run', [first.ms], '< 60000'),
      ],
      notes: [
        'whole processes, from their start to their end, Node included; `npm start` with npm’s own start',
        `a stage: lookup, process, checks, artifacts written and synced, record; one after the other`,
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Groups of ingest, mask, train, impute, evaluate: options, references, gates and expressions as in a real file. */
export function wideDocument(stages: number): string {
  const five = (i: number): string => `
  ingest_${i}: { uses: data/ingest, with: { uri: data.parquet, exclude: [id], where: "x > \${{ params.low }}" } }
  holdout_${i}: { uses: imputation/mask, with: { data: "\${{ stages.ingest_${i}.data }}", rate: "\${{ params.rate }}" } }
  train_${i}: { uses: imputation/train, timeout: 4h, with: { data: "\${{ stages.holdout_${i}.masked }}", latentDim: ${i + 1} } }
  impute_${i}: { uses: imputation/impute, with: { data: "\${{ stages.holdout_${i}.masked }}", model: "\${{ stages.train_${i}.model }}" } }
  evaluate_${i}:
    uses: imputation/evaluate
    with: { imputed: "\${{ stages.impute_${i}.data }}", truth: "\${{ stages.ingest_${i}.data }}", mask: "\${{ stages.holdout_${i}.mask }}" }
    gate: metrics.rmse <= metrics.baselines.knn.rmse`;
  return `hourglass: v1
name: wide
params:
  rate: { type: number, default: 0.2 }
  low: { type: integer, default: 3 }
stages:${Array.from({ length: stages / 5 }, (_, i) => five(i)).join('')}
`;
}

async function compileTimes(times: number): Promise<{ cold: number; warm: number[] }> {
  const { registry } = await discoverPlugins({ from: ROOT });
  const once = (): number => {
    // Another text each time: nothing is remembered from the last.
    const text = wideDocument(STAGES).replace('name: wide', `name: wide_${Math.floor(performance.now() * 1000)}`);
    const start = performance.now();
    const { plan, diagnostics } = compile({ text, file: 'wide.yaml' }, registry);
    const ms = performance.now() - start;
    if (plan?.stages.length !== STAGES) throw new HourglassError('INTERNAL', JSON.stringify(diagnostics[0]));
    return ms;
  };
  const cold = once();
  return { cold, warm: Array.from({ length: times }, once) };
}

async function stageTimes(folder: string, times: number): Promise<{ warm: number[]; hit: number[] }> {
  const store = await openStore(folder);
  const runner = createRunner({ store, plugins: await idlePlugin() });
  const place = { pipeline: 'idle', runId: 'bench', baseDir: folder, outDir: folder };
  const task = (value: number): StageTask => ({
    path: `nothing[${value}]`,
    uses: 'idle/nothing',
    options: { value },
    inputs: {},
    seed: 1,
    engine: 'auto',
    resources: {},
    timeout: {},
    cache: true,
    attempt: 1,
  });
  const warm: number[] = [];
  const hit: number[] = [];
  try {
    await runner.run(task(-1), place);
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      await runner.lookup([task(i)], place);
      const outcome = await runner.run(task(i), place);
      warm.push(performance.now() - start);
      if (!outcome.ok) throw new HourglassError('INTERNAL', outcome.error.message);
    }
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      const [answer] = await runner.lookup([task(i)], place);
      hit.push(performance.now() - start);
      if (answer?.status !== 'hit') throw new HourglassError('INTERNAL', 'a stage that ran was no hit');
    }
  } finally {
    await runner.close();
  }
  return { warm, hit };
}

/** A command of the repository's own scripts, as a person calls it; with `node`, the command line itself, without npm. */
async function timed(args: string[], by: 'npm' | 'node' = 'npm'): Promise<{ ms: number; out: string }> {
  const [command, call] =
    by === 'npm'
      ? ['npm', args]
      : [process.execPath, ['packages/cli/bin/hourglass.mjs', ...args.slice(args.indexOf('--') + 1)]];
  const start = performance.now();
  const { stdout } = await promisify(execFile)(command, call, { cwd: ROOT, maxBuffer: 2 ** 26 });
  return { ms: performance.now() - start, out: stdout };
}
