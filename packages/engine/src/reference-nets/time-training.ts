import { permutation } from '../random/draw.ts';
import type { Engine } from '../types.ts';
import type { ReferenceNet } from './reference-net.ts';

export interface TrainingTime {
  /** Tracing and compiling, ms. */
  compileMs: number;
  /** Least time of a step over the pieces of epochs that were timed, ms. */
  msPerStep: number;
  /** The same in time of the processor, ms: other programs disturb it less. */
  cpuMsPerStep: number;
  steps: number;
  /** Mean loss of each whole epoch. */
  losses: number[];
}

export interface TimeLimits {
  /** Whole epochs to take at the least. @default 0 */
  epochs?: number;
  /** Goes on until so much time went by, ms. @default 2000 */
  budgetMs?: number;
  /** Steps a piece has at the most; timed piece by piece. @default an epoch */
  pieceSteps?: number;
}

/** Trains a reference net and times its steps; the first piece, which warms up, does not count unless it is the only one. */
export async function timeTraining(engine: Engine, net: ReferenceNet, limits: TimeLimits = {}): Promise<TrainingTime> {
  const spec = net.training(net.rows);
  const batches = Math.ceil(net.rows / spec.batchSize);
  const piece = Math.min(batches, limits.pieceSteps ?? batches);
  const before = performance.now();
  const training = await engine.compileTraining(spec);
  const compileMs = performance.now() - before;
  const result: TrainingTime = { compileMs, msPerStep: Infinity, cpuMsPerStep: Infinity, steps: 0, losses: [] };
  const begin = performance.now();
  let warm = false;
  try {
    for (let epoch = 0; ; epoch++) {
      const order = permutation(net.rows, spec.seed, epoch);
      let sum = 0;
      for (let from = 0; from < batches; from += piece) {
        const enough = performance.now() - begin > (limits.budgetMs ?? 2000) && warm;
        if (enough && epoch >= (limits.epochs ?? 0)) return result;
        const to = Math.min(batches, from + piece);
        const [wall, cpu] = [performance.now(), process.cpuUsage()];
        const losses = await training.runSlice(order, from, to);
        const used = process.cpuUsage(cpu);
        if (result.steps === 0 || !warm) result.msPerStep = result.cpuMsPerStep = Infinity;
        warm = result.steps > 0;
        result.msPerStep = Math.min(result.msPerStep, (performance.now() - wall) / (to - from));
        result.cpuMsPerStep = Math.min(result.cpuMsPerStep, (used.user + used.system) / 1000 / (to - from));
        result.steps += to - from;
        for (const loss of losses) sum += loss;
      }
      result.losses.push(sum / batches);
    }
  } finally {
    training.dispose();
  }
}
