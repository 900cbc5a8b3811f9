import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HourglassError } from '@hourglass/core';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { makeTable } from './made-table.ts';
import { treeMemory } from './tree-memory.ts';

export const name = 'large';
export const summary = 'A table larger than memory, from its file to a filled one: memory of all processes together';

const CLI = fileURLToPath(new URL('../../cli/bin/hourglass.mjs', import.meta.url));
const EVERY = 200;

/** One stage after the other, so that each stage's memory shows; the model learns from a sample. */
const pipeline = (path: string): string => `hourglass: v1
name: large
seed: 7
stages:
  ingest: { uses: data/ingest, with: { uri: ${path} } }
  sample: { uses: data/ingest, needs: [ingest], with: { uri: ${path}, sample: { rows: 20000 } } }
  train:
    uses: imputation/train
    with: { data: "\${{ stages.sample.data }}", width: 64, blocks: 1, latentDim: 8, epochs: 3, batchSize: 256 }
  mask: { uses: imputation/mask, needs: [train], with: { data: "\${{ stages.ingest.data }}", rate: 0.2 } }
  impute:
    uses: imputation/impute
    with: { data: "\${{ stages.mask.masked }}", model: "\${{ stages.train.model }}" }
  export: { uses: data/export, with: { data: "\${{ stages.impute.data }}", uri: filled.parquet } }
`;

interface StageEvent {
  type: string;
  path?: string;
  status?: string;
  error?: { message: string };
}

export async function run({ rows = 20_000_000, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  try {
    log(`making ${rows} rows`);
    const path = await makeTable(folder, rows);
    const file = join(folder, 'large.yaml');
    await writeFile(file, pipeline(path));
    const measured = await measure(file, folder, log);
    const filled = await stat(join(folder, 'filled.parquet'));
    const peak = Math.max(...measured.map((stage) => stage.peakMiB));
    return {
      rows: [
        ...measured.map(({ path: stage, seconds, peakMiB }) => ({
          stage,
          seconds: Number(seconds.toFixed(1)),
          'rows/s': Math.round((stage === 'sample' || stage === 'train' ? 20_000 : rows) / seconds),
          'peak MiB': Math.round(peakMiB),
        })),
        {
          stage: 'all',
          seconds: Number(measured.reduce((s, m) => s + m.seconds, 0).toFixed(1)),
          'peak MiB': Math.round(peak),
        },
      ],
      notes: [
        `${rows} rows of 16 doubles, ${((await stat(path)).size / 2 ** 20).toFixed(0)} MiB of Parquet in, ${(filled.size / 2 ** 20).toFixed(0)} MiB out`,
        `memory: proportional set size of the command and its stage processes together, sampled every ${EVERY} ms; target < 1024 MiB`,
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Measured {
  path: string;
  seconds: number;
  peakMiB: number;
}

async function measure(file: string, folder: string, log: (message: string) => void): Promise<Measured[]> {
  const child = spawn(
    process.execPath,
    [CLI, 'run', file, '--json', '--store', join(folder, 'store'), '--out', folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const stages: Measured[] = [];
  let current: { path: string; started: number; peakMiB: number } | undefined;
  const timer = setInterval(() => {
    if (current) current.peakMiB = Math.max(current.peakMiB, treeMemory(child.pid!) / 2 ** 20);
  }, EVERY);
  let failure: string | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as StageEvent;
      if (event.type !== 'stage' || event.path === undefined) continue;
      if (event.status === 'running') {
        log(event.path);
        current = { path: event.path, started: performance.now(), peakMiB: 0 };
      } else if (current?.path === event.path) {
        stages.push({ ...current, seconds: (performance.now() - current.started) / 1000 });
        current = undefined;
      }
      if (event.error) failure = event.error.message;
    }
  } finally {
    clearInterval(timer);
  }
  if (failure !== undefined) throw new HourglassError('INTERNAL', `large: ${failure}`);
  return stages;
}
