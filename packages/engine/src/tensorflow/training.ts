import {
  compiledTraining,
  stateVectors,
  type FlatTraining,
  type StepCall,
  type StepEngine,
  type StepGraph,
  type StepRunner,
} from '../compiled/training.ts';
import { multiplyAdds } from '../ir/work.ts';
import type { ParamLayout } from '../flat-params.ts';
import { trainingGraph } from '../graphdef/training-graph.ts';
import { gatherRows, sliceRows } from '../training-data.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { openSession, type GraphSession } from './session.ts';

/**
 * A training traced once and run by TensorFlow, state and data staying there between calls.
 * @param ready loads the library, told the multiply-adds of a step
 */
export async function tensorflowTraining(
  spec: TrainingSpec,
  ready: (work: () => number) => Promise<void>,
): Promise<CompiledTraining> {
  const { batchSize } = spec;
  return compiledTraining(spec, (start, { frozen }, data) => tensorflowSteps(batchSize, data, start, frozen, ready));
}

/** A graph for each size of batch, with variables of its own; the state moves to the one that is to run. */
interface Resident {
  read(): Record<string, Float32Array>;
  write(next: FlatTraining): void;
}

/** The rows of a training: here until a graph has taken them over. */
interface Rows {
  here?: Record<string, DataArray>;
  /** The graph that picks whole batches out of its copy. */
  keeper?: GraphSession;
}

function tensorflowSteps(
  batchSize: number,
  data: Record<string, DataArray>,
  start: FlatTraining,
  frozenLayout: ParamLayout,
  ready: (work: () => number) => Promise<void>,
): StepEngine {
  /** The state while no graph has it. */
  let waiting: FlatTraining | undefined = start;
  let frozen = start.frozen;
  let holder: Resident | undefined;
  const rows: Rows = { here: data };
  const read = (): Record<string, Float32Array> => waiting?.state ?? holder!.read();
  const hold = (resident: Resident) => {
    if (!waiting && holder === resident) return;
    resident.write({ state: read(), frozen });
    holder = resident;
    waiting = undefined;
  };
  return {
    async compile(step) {
      await ready(() => multiplyAdds(step.graph));
      return stepRunner(batchSize, step, frozenLayout, hold, rows);
    },
    read: async () => read(),
    write: async (next) => {
      waiting = next;
      frozen = next.frozen;
    },
    async writeData(next) {
      if (!rows.keeper) return void (rows.here = next);
      // The rows before are let go first: both together may not fit.
      const none = Object.values(next).map((array) => sliceRows(array, 0, 0));
      assign(rows.keeper, 'data', none);
      assign(rows.keeper, 'data', Object.values(next));
    },
  };
}

function stepRunner(
  batchSize: number,
  step: StepGraph,
  frozenLayout: ParamLayout,
  hold: (resident: Resident) => void,
  data: Rows,
): StepRunner {
  const { model, state } = trainingGraph(step);
  const session = openSession(model, `batches of ${step.rows} rows`);
  const sizes = new Map(stateVectors(step).map(([vector, { size }]) => [vector, size]));
  const resident: Resident = {
    read() {
      const flat: Record<string, Float32Array> = {};
      const values = session.run(
        {},
        state.map((_, i) => `read/${i}`),
      );
      state.forEach(({ vector, slice }, i) =>
        (flat[vector] ??= new Float32Array(sizes.get(vector)!)).set(values[i] as Float32Array, slice.start),
      );
      return flat;
    },
    write(next) {
      assign(
        session,
        'state',
        state.map(({ vector, slice }) => slicedParam(next.state[vector]!, slice)),
      );
      assign(
        session,
        'frozen',
        frozenLayout.slices.map((slice) => slicedParam(next.frozen, slice)),
      );
    },
  };
  // Batches of the usual size are picked by TensorFlow out of data that stay there, and nowhere else. The last, smaller
  // batch of an epoch is handed to its graph, which would need the data a second time.
  const usual = step.rows === batchSize;
  if (usual) {
    assign(session, 'data', Object.values(data.here!));
    data.keeper = session;
    data.here = undefined;
  }
  return {
    async run(call) {
      hold(resident);
      if (!usual) {
        assign(session, 'data', pickedRows(step, data, call.rows));
      }
      const rows = usual ? call.rows : call.rows.map((_, i) => i);
      return session.run(stepFeeds(step, { ...call, rows }), ['losses'])[0] as Float32Array;
    },
    dispose: () => session.dispose(),
  };
}

function pickedRows(step: StepGraph, { here, keeper }: Rows, rows: Int32Array): DataArray[] {
  if (here) return Object.values(here).map((array) => gatherRows(array, rows, 0, rows.length));
  const kinds = Object.values(step.data);
  const picked = keeper!.run(
    { pick: { dtype: 'int32', shape: [rows.length], values: rows } },
    kinds.map((_, i) => `picked/${i}`),
  );
  return kinds.map(({ dtype, rowShape }, i) => {
    return { dtype, shape: [rows.length, ...rowShape], values: picked[i] } as DataArray;
  });
}

const slicedParam = (flat: Float32Array, { shape, start, end }: ParamLayout['slices'][number]): DataArray => ({
  dtype: 'float32',
  shape,
  values: flat.subarray(start, end),
});

function assign(session: GraphSession, entry: string, values: DataArray[]): void {
  if (values.length === 0) return;
  session.run(Object.fromEntries(values.map((value, i) => [`${entry}/${i}`, value])), [`${entry}/done`]);
}

function stepFeeds(step: StepGraph, { steps, rows, scalars, random }: StepCall): Record<string, DataArray> {
  const feeds: Record<string, DataArray> = {
    steps: { dtype: 'int32', shape: [], values: Int32Array.of(steps) },
    rows: { dtype: 'int32', shape: [steps, step.rows], values: rows },
    scalars: { dtype: 'float32', shape: [steps, 3], values: scalars },
  };
  step.draws.forEach(({ shape }, i) => {
    feeds[`random/${i}`] = { dtype: 'float32', shape: [steps, ...shape], values: random[i]! };
  });
  return feeds;
}
