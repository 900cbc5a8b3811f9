import type { TfType } from './proto.ts';
import type { GraphWriter } from './writer.ts';

const FRAME = 'steps';

/** A counted loop under construction: what is written after its start belongs to its body. */
export interface Loop {
  /** Number of the present round, int32. */
  index: string;
  /** A tensor from outside, the same in every round. */
  invariant(name: string, dtype: TfType): string;
  /** Ends the body; the next round begins after `updates`. @returns a node that runs when the loop is over */
  end(updates: readonly string[]): string;
}

/**
 * `for (index = 0; index < limit; index++)` in the primitives of TensorFlow's dataflow (Yu et al., "Dynamic control flow
 * in large-scale machine learning", EuroSys 2018): a whole epoch is one call.
 *
 * @param first nodes that must run before the loop
 */
export function beginLoop(w: GraphWriter, limit: string, first: readonly string[]): Loop {
  const enter = (name: string, dtype: TfType, constant: boolean) =>
    w.node('Enter', [name], {
      T: dtype,
      frame_name: { text: FRAME },
      is_constant: constant,
      parallel_iterations: 1,
    });
  const T = 'int32';
  const zero = w.node('Identity', [w.scalar(0, T), ...first.map((node) => `^${node}`)], { T });
  const merge = w.node('Merge', [enter(zero, T, false), 'next'], { N: 2, T });
  const more = w.node('LoopCond', [w.node('Less', [merge, enter(limit, T, true)], { T })]);
  const branch = w.node('Switch', [merge, more], { T });
  const index = w.node('Identity', [`${branch}:1`], { T });
  w.enter(index);
  const entered = new Map<string, string>();
  return {
    index,
    invariant(name, dtype) {
      const known = entered.get(name) ?? enter(name, dtype, true);
      entered.set(name, known);
      return known;
    },
    end(updates) {
      const after = updates.map((node) => `^${node}`);
      w.node('NextIteration', [w.node('AddV2', [index, w.scalar(1, T), ...after], { T })], { T }, 'next');
      w.leave();
      return w.node('Exit', [branch], { T });
    },
  };
}
