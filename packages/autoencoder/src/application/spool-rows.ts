import { drawUniform } from '@hourglass/engine';
import { encodeTable, type EncodedTable } from '../columns/encode.ts';
import { columnCount, tableLayout, type TableEncoder } from '../columns/encoder.ts';
import type { TableSource } from '../columns/fit.ts';
import { concatRows, floats, takeRows, toData } from '../model/data.ts';
import { FEWEST, type Split } from './split.ts';
import type { Spool } from './spool.ts';

/** Rows that judge, and rows that the computed parameters (normal, pieces) rest on: enough for both, little memory. */
const JUDGED = 20_000;
const PRIOR = 100_000;

export interface SpoolOptions {
  kind: 'rows' | 'cells';
  /** Share of rows (or of cells in the rows that judge) put aside. */
  fraction: number;
  maxRows: number;
  shardBytes: number;
  seed: number;
  signal?: AbortSignal;
}

/**
 * The split of a table that is too large for memory, in one pass over its rows: encoded rows to train on go to a file, a
 * sample of them is kept for computed parameters, and some rows (or cells of some rows) are put aside to judge. Every draw
 * belongs to a row's number, so that reading in other pieces changes nothing.
 */
export async function spoolRows(
  source: Required<Pick<TableSource, 'rows' | 'chunks'>>,
  encoder: TableEncoder,
  spool: Spool,
  { kind, fraction, maxRows, shardBytes, seed, signal }: SpoolOptions,
): Promise<Split> {
  const names = encoder.columns.map(({ name }) => name);
  const columns = columnCount(tableLayout(encoder));
  const wanted = Math.min(source.rows, maxRows);
  const judgedShare = kind === 'rows' ? Math.min(fraction, JUDGED / wanted) : fraction > 0 ? JUDGED / wanted : 0;
  const judged: EncodedTable[] = [];
  const held: Float32Array[] = [];
  const prior: EncodedTable[] = [];
  let firstRow = 0;
  let heldCells = 0;
  for await (const chunk of source.chunks(names)) {
    signal?.throwIfAborted();
    const encoded = encodeTable(encoder, chunk, firstRow);
    const draw = (call: number): Float32Array =>
      drawUniform({ seed, domain: 'order', step: 0, call }, chunk.rows, firstRow);
    const [sampled, judging, based] = [draw(2), draw(4), draw(5)];
    const pick = (holds: (row: number) => boolean): number[] =>
      Array.from(sampled.keys()).filter((row) => sampled[row]! < wanted / source.rows && holds(row));
    const judges = pick((row) => judging[row]! < judgedShare);
    if (kind === 'cells') {
      const cells = hideHeld(encoded, judges, columns, fraction, { seed, firstRow });
      held.push(cells);
      heldCells += cells.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
    }
    if (judges.length > 0) judged.push(takeRows(encoded, judges));
    const trained = (row: number): boolean => kind === 'cells' || judging[row]! >= judgedShare;
    await spool.append(takeRows(encoded, pick(trained)));
    prior.push(
      takeRows(
        encoded,
        pick((row) => trained(row) && based[row]! < PRIOR / wanted),
      ),
    );
    firstRow += chunk.rows;
  }
  const base = concatRows(prior);
  const rows = spool.source(shardBytes);
  const judging = concatRows(judged);
  if (kind === 'cells') {
    if (heldCells < FEWEST) return { train: base, rows };
    const cells = concatRows(held.map((w) => ({ ...EMPTY, rows: w.length / columns, w }))).w;
    return { train: judging, prior: base, rows, validation: { ...toData(judging), held: floats(judging.rows, cells) } };
  }
  return { train: base, rows, ...(judging.rows >= FEWEST ? { validation: toData(judging) } : {}) };
}

const EMPTY = { x: new Float32Array(), codes: new Int32Array(), cycles: new Float32Array(), unknown: {} };

/** Hides a share of the observed cells of some rows, in place. @returns weights of those cells `[rows, C]`, else 0 */
function hideHeld(
  encoded: EncodedTable,
  rows: number[],
  columns: number,
  fraction: number,
  { seed, firstRow }: { seed: number; firstRow: number },
): Float32Array {
  const held = new Float32Array(rows.length * columns);
  const draws = drawUniform({ seed, domain: 'order', step: 0, call: 6 }, encoded.rows * columns, firstRow * columns);
  rows.forEach((row, i) => {
    for (let j = 0; j < columns; j++) {
      const at = row * columns + j;
      if (encoded.w[at]! === 0 || draws[at]! >= fraction) continue;
      held[i * columns + j] = encoded.w[at]!;
      encoded.w[at] = 0;
    }
  });
  return held;
}
