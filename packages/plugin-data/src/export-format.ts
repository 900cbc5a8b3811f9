/** Formats by the ending of a file's name. */
const ENDINGS = {
  parquet: 'parquet',
  pq: 'parquet',
  csv: 'csv',
  arrow: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
} as const;

/** The format that a file's name asks for; undefined where it names none that can be written. */
export const formatOf = (uri: string): 'parquet' | 'csv' | 'arrow' | undefined =>
  ENDINGS[/\.([a-z]+)$/i.exec(uri)?.[1]?.toLowerCase() as keyof typeof ENDINGS];

/** What a name without such an ending is told. */
export const ENDING_EXPECTED =
  'expected a name that ends in .parquet, .csv, .arrow or .feather, or the option `format`';
