import { resolveEngine } from '@hourglass/engine';
import { REFERENCE_NETS, timeTraining } from '@hourglass/engine/reference-nets';
import { COMPARED } from './engine-case.ts';
import type { EngineTask, Timing } from './engine.ts';

// One engine with one net, in a process of its own: threads are chosen as a library loads, and its peak of memory is
// nobody else's.

const { engine: name, net: netName, epochs, seconds, byStep } = JSON.parse(process.argv[2]!) as EngineTask;
const net = REFERENCE_NETS.find((one) => one.name === netName)!;
const engine = await resolveEngine(name);

const time = byStep
  ? await timeTraining(engine, net, { budgetMs: seconds * 1000, pieceSteps: 1 })
  : await timeTraining(engine, net, { budgetMs: seconds * 1000, epochs: Math.max(COMPARED, epochs + 1) });

/** Rows a second of the forward pass in batches of 4096, the best of several passes over at most a second. */
async function inference(): Promise<number> {
  const { params, data } = net.training(net.rows);
  const forward = await engine.compileForward({ params, forward: net.forward });
  let best = Infinity;
  for (const begin = performance.now(); best === Infinity || performance.now() - begin < 1000;) {
    const start = performance.now();
    await forward.run(data);
    best = Math.min(best, performance.now() - start);
  }
  forward.dispose();
  return net.rows / (best / 1000);
}

const timing: Timing = {
  losses: time.losses.slice(0, COMPARED),
  msPerStep: time.msPerStep,
  cpuMsPerStep: time.cpuMsPerStep,
  compileMs: time.compileMs + Math.max(0, time.firstStepMs - time.msPerStep),
  ...(byStep ? {} : { rowsPerSecond: await inference() }),
  peakMiB: process.resourceUsage().maxRSS / 1024,
  version: engine.class,
};
console.log(JSON.stringify(timing));
