import {
  compiledTraining,
  type FlatTraining,
  type StepCall,
  type StepEngine,
  type StepGraph,
  type StepRunner,
} from '../compiled/training.ts';
import type { ParamLayout } from '../flat-params.ts';
import { trainingGraph } from '../graphdef/training-graph.ts';
import { gatherRows, sliceRows } from '../training-data.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { openSession, type GraphSession } from './session.ts';

/** A training traced once and run by TensorFlow, state and data staying there between calls. */
export async function tensorflowTraining(spec: TrainingSpec): Promise<CompiledTraining> {
  return compiledTraining(spec, (start, { frozen }) => tensorflowSteps(spec, start, frozen));
}

/** A graph for each size of batch, with variables of its own; the state moves to the one that is to run. */
interface Resident {
  read(): Record<string, Float32Array>;
  write(next: FlatTraining): void;
}

function tensorflowSteps(spec: TrainingSpec, start: FlatTraining, frozenLayout: ParamLayout): StepEngine {
  /** The state while no graph has it. */
  let waiting: FlatTraining | undefined = start;
  let frozen = start.frozen;
  let { data } = spec;
  let holder: Resident | undefined;
  /** The graphs that have the data. */
  const keepers: GraphSession[] = [];
  const read = (): Record<string, Float32Array> => waiting?.state ?? holder!.read();
  const hold = (resident: Resident) => {
    if (!waiting && holder === resident) return;
    resident.write({ state: read(), frozen });
    holder = resident;
    waiting = undefined;
  };
  return {
    compile: async (step) => stepRunner(spec.batchSize, step, frozenLayout, hold, () => data, keepers),
    read: async () => read(),
    write: async (next) => {
      waiting = next;
      frozen = next.frozen;
    },
    async writeData(next) {
      // The rows before are let go first: both together may not fit.
      const none = Object.values(next).map((array) => sliceRows(array, 0, 0));
      for (const session of keepers) assign(session, 'data', none);
      data = next;
      for (const session of keepers) assign(session, 'data', Object.values(next));
    },
  };
}

function stepRunner(
  batchSize: number,
  step: StepGraph,
  frozenLayout: ParamLayout,
  hold: (resident: Resident) => void,
  dataNow: () => Record<string, DataArray>,
  keepers: GraphSession[],
): StepRunner {
  const { model, state } = trainingGraph(step);
  const session = openSession(model, `batches of ${step.rows} rows`);
  const { slices, size } = step.layout;
  const resident: Resident = {
    read() {
      const flat: Record<string, Float32Array> = {};
      const values = session.run(
        {},
        state.map((_, i) => `read/${i}`),
      );
      state.forEach(({ vector, slice }, i) =>
        (flat[vector] ??= new Float32Array(size)).set(values[i] as Float32Array, slices[slice]!.start),
      );
      return flat;
    },
    write(next) {
      assign(
        session,
        'state',
        state.map(({ vector, slice }) => slicedParam(next.state[vector]!, slices[slice]!)),
      );
      assign(
        session,
        'frozen',
        frozenLayout.slices.map((slice) => slicedParam(next.frozen, slice)),
      );
    },
  };
  // Batches of the usual size are picked by TensorFlow out of data that stay there. The last, smaller batch of an epoch
  // is picked here: its graph would need the data a second time.
  const usual = step.rows === batchSize;
  if (usual) {
    assign(session, 'data', Object.values(dataNow()));
    keepers.push(session);
  }
  return {
    async run(call) {
      hold(resident);
      if (!usual) {
        const picked = Object.values(dataNow()).map((a) => gatherRows(a, call.rows, 0, call.rows.length));
        assign(session, 'data', picked);
      }
      const rows = usual ? call.rows : call.rows.map((_, i) => i);
      return session.run(stepFeeds(step, { ...call, rows }), ['losses'])[0] as Float32Array;
    },
    dispose: () => session.dispose(),
  };
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
