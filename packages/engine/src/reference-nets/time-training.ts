import { permutation } from '../random/draw.ts';
import type { Engine } from '../types.ts';
import type { ReferenceNet } from './reference-net.ts';

export interface TrainingTime {
  /** Tracing and compiling, ms. */
  compileMs: number;
  /** The first step, ms: engines put the graph in order then. */
  firstStepMs: number;
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

/** Trains a reference net and times its steps; the first step and the first piece, which warm up, do not count. */
export async function timeTraining(engine: Engine, net: ReferenceNet, limits: TimeLimits = {}): Promise<TrainingTime> {
  const spec = net.training(net.rows);
  const batches = Math.ceil(net.rows / spec.batchSize);
  const piece = Math.min(batches, limits.pieceSteps ?? batches);
  const before = performance.now();
  const training = await engine.compileTraining(spec);
  const begin = performance.now();
  const result: TrainingTime = {
    compileMs: begin - before,
    firstStepMs: 0,
    msPerStep: Infinity,
    cpuMsPerStep: Infinity,
    steps: 0,
    losses: [],
  };
  let pieces = 0;
  try {
    for (let epoch = 0; ; epoch++) {
      const order = permutation(net.rows, spec.seed, epoch);
      let sum = 0;
      for (let from = 0, to = 1; from < batches; from = to, to = Math.min(batches, from + piece)) {
        if (epoch > 0 && from === 0) to = piece;
        const enough = performance.now() - begin > (limits.budgetMs ?? 2000) && pieces > 1;
        if (enough && epoch >= (limits.epochs ?? 0)) return result;
        const [wall, cpu] = [performance.now(), process.cpuUsage()];
        const losses = await training.runSlice(order, from, to);
        const took = performance.now() - wall;
        const used = process.cpuUsage(cpu);
        if (pieces === 0) result.firstStepMs = took;
        // Until there is better, a piece that warms up is what is known.
        if (pieces <= 2) result.msPerStep = result.cpuMsPerStep = Infinity;
        result.msPerStep = Math.min(result.msPerStep, took / (to - from));
        result.cpuMsPerStep = Math.min(result.cpuMsPerStep, (used.user + used.system) / 1000 / (to - from));
        result.steps += to - from;
        pieces++;
        for (const loss of losses) sum += loss;
      }
      result.losses.push(sum / batches);
    }
  } finally {
    training.dispose();
  }
}
