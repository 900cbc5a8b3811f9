import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HourglassError } from '@hourglass/core';
import { engineStatuses, isBuiltIn, type EngineName } from '@hourglass/engine';
import { REFERENCE_NETS, type ReferenceNet } from '@hourglass/engine/reference-nets';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { COMPARED, writeCase } from './engine-case.ts';
import { runPython } from './python.ts';

export const name = 'engine';
export const summary =
  'ms a training step of five nets on every engine, beside PyTorch and Keras from the same weights in the same order of rows';

/** What one library or engine did with one net. */
export interface Timing {
  /** Mean loss of each of the first epochs. */
  losses?: number[];
  /** Least over whole epochs. */
  msPerStep?: number;
  /** The same in time of the processor, of all threads together. */
  cpuMsPerStep?: number;
  /** Tracing, compiling, and what the first step takes more than others. */
  compileMs?: number;
  /** Of the forward pass, batches of 4096. */
  rowsPerSecond?: number;
  /** Of the whole process. */
  peakMiB: number;
  version: string;
}

/** What a process of its own is asked to do. */
export interface EngineTask {
  engine: EngineName;
  net: string;
  /** Whole epochs to time at the least, after one that warms up. */
  epochs: number;
  /** Goes on for so long at the least. */
  seconds: number;
  /** For engines that take minutes an epoch: a few steps, no losses. */
  byStep: boolean;
}

interface Contender {
  title: string;
  run(folder: string, net: ReferenceNet, threads: number): Promise<Timing>;
  /** Whether it has a time for this net; sklearn trains none but predicts. */
  fits(net: ReferenceNet): boolean;
  oneThread?: boolean;
}

const EPOCHS = 5;
const SECONDS = 2;

const peer = (title: string, key: string, fits: Contender['fits'] = () => true): Contender => ({
  title,
  fits,
  run: (folder, _, threads) =>
    runPython<Timing>('engine_peers.py', [folder, key, threads, EPOCHS, SECONDS].map(String), 'engine'),
});

const dense = (net: ReferenceNet): boolean => net.name.startsWith('mlp');
const images = (net: ReferenceNet): boolean => ['conv', 'unet'].includes(net.name);

const PEERS: Record<string, Contender> = {
  torch: peer('PyTorch, eager', 'torch'),
  'torch-fused': peer('PyTorch, fused AdamW', 'torch-fused'),
  'torch-compile': peer('PyTorch, torch.compile', 'torch-compile'),
  keras: peer('Keras, fit', 'keras'),
  sklearn: peer('scikit-learn, MLPRegressor', 'sklearn', dense),
};

/** The targets: at most so many times the best PyTorch. */
const TARGETS: Record<string, Record<string, number>> = {
  tensorflow: { 'mlp-small': 0.55, tabular: 0.75, 'mlp-large': 1, conv: 0.9, unet: 0.9 },
  onnxruntime: { 'mlp-small': 0.85, 'mlp-large': 1.35, conv: 1.8, unet: 1.8 },
};

function ours(engine: EngineName): Contender {
  const byStep = isBuiltIn(engine);
  return {
    title: `Hourglass, ${engine}`,
    fits: (net) => !byStep || !images(net),
    oneThread: byStep,
    async run(_, net, threads) {
      const task: EngineTask = { engine, net: net.name, epochs: EPOCHS, seconds: SECONDS, byStep };
      const script = fileURLToPath(new URL('./engine-child.ts', import.meta.url));
      const env = { ...process.env, HOURGLASS_THREADS: `${threads}`, TF_NUM_INTRAOP_THREADS: `${threads}` };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...process.execArgv, script, JSON.stringify(task)],
        { env },
      );
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as Timing;
    },
  };
}

export async function run({ nets, engines, peers, threads, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const present = engineStatuses().filter(({ available }) => available);
  const absent = engineStatuses().filter(({ available }) => !available);
  const contenders = [
    ...Object.entries(PEERS).filter(([key]) => peers?.includes(key) ?? true),
    ...present.map(({ name }) => [name, ours(name)] as const).filter(([key]) => engines?.includes(key) ?? true),
  ];
  const chosen = REFERENCE_NETS.filter(({ name }) => nets?.includes(name) ?? true);
  if (chosen.length === 0 || contenders.length === 0)
    throw new HourglassError(
      'CALL_INVALID',
      `engine: nothing to time; nets are ${REFERENCE_NETS.map(({ name }) => name).join(', ')}, peers ${Object.keys(PEERS).join(', ')}`,
    );
  const most = threads ?? availableParallelism();
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  try {
    for (const net of chosen) {
      const place = join(folder, net.name);
      await writeCase(place, net);
      const found: { key: string; title: string; one: Timing; best: Timing; threads: number }[] = [];
      for (const [key, contender] of contenders) {
        if (!contender.fits(net)) continue;
        log(`${net.name}: ${contender.title}`);
        const one = await contender.run(place, net, 1);
        let best = { timing: one, threads: 1 };
        if (most > 1 && !contender.oneThread && one.msPerStep !== undefined) {
          const timing = await contender.run(place, net, most);
          if (timing.msPerStep! < one.msPerStep) best = { timing, threads: most };
        }
        found.push({ key, title: contender.title, one, best: best.timing, threads: best.threads });
      }
      const torch = found.filter(({ key }) => key.startsWith('torch'));
      const least = (of: (timing: Timing) => number | undefined) => Math.min(...torch.map(({ one }) => of(one)!));
      const reference = found.find(({ one }) => one.losses?.length === COMPARED)?.one.losses?.at(-1);
      for (const { key, title, one, best, threads } of found) {
        const ratio =
          one.msPerStep !== undefined && torch.length ? one.msPerStep / least((t) => t.msPerStep) : undefined;
        const cpuRatio = ratio === undefined ? undefined : one.cpuMsPerStep! / least((t) => t.cpuMsPerStep);
        const target = TARGETS[key]?.[net.name];
        const loss = one.losses?.[COMPARED - 1];
        addRow({
          net: net.name,
          method: title,
          'ms/step': shown(one.msPerStep),
          '× PyTorch': shown(ratio),
          'CPU ms': shown(one.cpuMsPerStep),
          '× CPU': shown(cpuRatio),
          target:
            target === undefined || ratio === undefined ? '' : `≤ ${target} ${ratio <= target ? 'met' : 'MISSED'}`,
          'best threads': one.msPerStep === undefined ? '' : `${shown(best.msPerStep)} (${threads})`,
          [`loss, epoch ${COMPARED}`]: loss === undefined ? '' : loss.toPrecision(7),
          'off by':
            loss === undefined || reference === undefined ? '' : Math.abs(loss / reference - 1).toExponential(0),
          'compile ms': one.compileMs === undefined ? '' : Math.round(one.compileMs),
          'peak MiB': Math.round(one.peakMiB),
          'rows/s forward': one.rowsPerSecond === undefined ? '' : Math.round(one.rowsPerSecond),
        });
      }
      notes.push(`${net.name}: ${net.summary}; ${net.rows} rows`);
      for (const { title, one } of found)
        if (!notes.some((note) => note.startsWith(`${title}: `))) notes.push(`${title}: ${one.version}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  notes.push(
    `one thread, the quickest of ${EPOCHS} epochs or more; × PyTorch is against the best of its three, which get the quicker of two memory layouts for images`,
    'CPU ms: time of the processor instead of the clock, which other programs disturb less',
    'off by: relative difference of the mean loss of that epoch from the first method’s',
    'wasm and cpu: the quickest of single steps; convolutions take minutes there and are not timed',
    ...absent.map(({ name, reason }) => `not here: ${name}, ${reason}`),
  );
  return { rows, notes };
}

/** Three digits that matter. */
const shown = (value: number | undefined): number | string => (value === undefined ? '' : Number(value.toPrecision(3)));
