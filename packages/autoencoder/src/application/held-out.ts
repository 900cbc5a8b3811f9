import { drawUniform, type Engine } from '@hourglass/engine';
import { evenly } from '@hourglass/metrics';
import type { EncodedTable } from '../columns/encode.ts';
import { valueWidth } from '../columns/encoder.ts';
import { takeRows } from '../model/data.ts';
import { heldOutBand, HELD_OUT_BANDS, type HeldOut, type Model } from '../model/model.ts';
import { predictor } from '../model/predictor.ts';
import type { Lesson } from './learn.ts';

/** Rows asked at most, and pairs kept of a column and band: enough for the spread of errors at every level. */
const ROWS = 20_000;
const PAIRS = 500;

/** Shares of the row hidden besides, one pass each, so that every band of missing cells is met. */
const HIDDEN_BESIDES = [0, 0.3, 0.6, 0.9];

/**
 * What a trained model answers for the cells that were put aside, beside what they held: the spread that its single
 * answers do not show, for rows with few and with many missing cells.
 *
 * @returns by band and number column, ascending by answer; undefined where no cells were put aside
 */
export async function heldOutAnswers(engine: Engine, lesson: Lesson, model: Model): Promise<HeldOut[][] | undefined> {
  const held = lesson.split.validation?.held;
  if (!held) return undefined;
  const { train } = lesson.split;
  const { layout } = lesson.network.spec;
  const { numbers } = layout;
  const p = valueWidth(layout);
  const columns = lesson.encoder.columns.length;
  const rows = evenly(train.rows, ROWS);
  const seen = takeRows(train, rows);
  const pairs = HELD_OUT_BANDS.map(() => Array.from({ length: numbers }, (): [number, number][] => []));
  const answer = predictor(engine, model);
  try {
    for (const [pass, rate] of HIDDEN_BESIDES.entries()) {
      const shown = hideBesides(seen, rate, lesson.seed, pass);
      const { values } = await answer.reconstruct(shown);
      rows.forEach((row, i) => {
        const band = pairs[heldOutBand(shown.w.subarray(i * columns, (i + 1) * columns))]!;
        for (let j = 0; j < numbers; j++)
          if (held.values[row * columns + j]! > 0) band[j]!.push([values[i * p + j]!, train.x[row * p + j]!]);
      });
    }
  } finally {
    answer.dispose();
  }
  return pairs.map((band) =>
    band.map((all) => {
      all.sort(([a, x], [b, y]) => a - b || x - y);
      const kept = evenly(all.length, PAIRS);
      return {
        predicted: Float32Array.from(kept, (i) => all[i]![0]),
        observed: Float32Array.from(kept, (i) => all[i]![1]),
      };
    }),
  );
}

function hideBesides(seen: EncodedTable, rate: number, seed: number, pass: number): EncodedTable {
  if (rate === 0) return seen;
  const draws = drawUniform({ seed, domain: 'host', step: pass, call: 3 }, seen.w.length);
  return { ...seen, w: seen.w.map((weight, i) => (draws[i]! < rate ? 0 : weight)) };
}
