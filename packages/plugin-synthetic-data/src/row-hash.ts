import type { ColumnData, Table, VectorData } from '@hourglass/dataset';

/** A number of 52 bits for each row, from the values of the columns named: equal rows, equal numbers. */
export function rowHashes(table: Table, names: readonly string[]): Float64Array {
  const cells = names.map((name) => {
    const list = table.vectors?.[name];
    return list ? textOfList(list) : textOf(table.columns[name]!);
  });
  return Float64Array.from({ length: table.rows }, (_, row) => {
    // Two FNV-1a hashes of 32 bits with different beginnings.
    let [a, b] = [0x811c9dc5, 0x1b873593];
    for (const cell of cells) {
      const text = cell(row);
      for (let i = 0; i < text.length; i++) {
        a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
        b = Math.imul(b ^ text.charCodeAt(i), 0x01000193);
      }
      a = Math.imul(a ^ 0x1f, 0x01000193);
      b = Math.imul(b ^ 0x1d, 0x01000193);
    }
    return (a >>> 0) * 2 ** 20 + ((b >>> 0) % 2 ** 20);
  });
}

const textOf = (data: ColumnData): ((row: number) => string) =>
  data.kind === 'numeric'
    ? (row) => String(data.values[row]! + 0)
    : (row) => (data.codes[row]! < 0 ? '\u0000' : data.categories[data.codes[row]!]!);

const textOfList =
  ({ values, length }: VectorData): ((row: number) => string) =>
  (row) =>
    values.subarray(row * length, (row + 1) * length).join();

/** Those that occur once, ascending. */
export function onceOnly(hashes: Float64Array): Float64Array {
  const sorted = hashes.slice().sort();
  return sorted.filter((hash, i) => hash !== sorted[i - 1] && hash !== sorted[i + 1]);
}
