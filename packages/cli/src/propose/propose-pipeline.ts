import type { JudgedColumn } from './judge-columns.ts';

export interface Proposal {
  name: string;
  /** As the pipeline will read it: relative to its own file. */
  uri: string;
  /** What was looked at, for the comment at the top. */
  shown: string;
  rows: number;
  columns: readonly JudgedColumn[];
}

/** A commented pipeline for a table: it fills what is missing, measures how well, and exports the latents. */
export function proposePipeline({ name, uri, shown, rows, columns }: Proposal): string {
  const learned = columns.filter(({ excluded }) => !excluded);
  const excluded = columns.filter((column) => column.excluded);
  const categorical = learned.filter((column) => column.categorical);
  const missing = learned.reduce((sum, { profile }) => sum + profile.missing, 0);
  const share = (100 * missing) / Math.max(1, rows * learned.length);
  const latentDim = Math.max(1, Math.min(32, Math.round(learned.length / 2)));
  const large = rows > 100_000;
  const out = `out/${name}`;
  const lines: (string | false)[] = [
    '# yaml-language-server: $schema=./pipeline.schema.json   (write it with: hourglass schema -o pipeline.schema.json)',
    '#',
    `# Proposed by \`hourglass init ${shown}\` from ${group(rows)} rows × ${columns.length} columns: read it, change it, keep it.`,
    `# ${missing === 0 ? 'No cell of the learned columns is missing.' : `${group(missing)} cells of the learned columns are missing (${share < 0.1 ? share.toFixed(2) : share.toFixed(1)} %).`}`,
    '#',
    '#   hourglass plan THIS_FILE      what would run, and why',
    '#   hourglass run THIS_FILE',
    'hourglass: v1',
    `name: ${name}`,
    'seed: 7',
    '',
    'params:',
    '  holdoutRate: { type: number, default: 0.1, minimum: 0.01, maximum: 0.5, description: Share of known cells hidden to score with }',
    '',
    'stages:',
    '  # Read the table. The contract stops the run when tomorrow’s file is not what today’s is.',
    '  ingest:',
    '    uses: data/ingest',
    '    with:',
    `      uri: ${quote(uri)}`,
    ...contract(rows, columns),
    '',
    '  # Hide some of the cells whose values are known: filling those can be scored.',
    '  holdout:',
    '    uses: imputation/mask',
    '    with:',
    '      data: ${{ stages.ingest.data }}',
    '      rate: ${{ params.holdoutRate }}',
    excluded.length > 0 &&
      `      exclude: ${flow(
        excluded.map((column) => column.name),
        15,
      )}`,
    '',
    '  train:',
    '    uses: imputation/train',
    '    with:',
    '      data: ${{ stages.holdout.masked }}',
    ...exclusions(excluded),
    categorical.length > 0 && '      # Numbers that are names, not amounts.',
    categorical.length > 0 &&
      `      categorical: ${flow(
        categorical.map((column) => column.name),
        19,
      )}`,
    `      latentDim: ${latentDim} # of ${learned.length} columns`,
    `      epochs: ${large ? 20 : 100} # at most: training stops when it no longer gets better`,
    large && '      batchSize: 1024',
    '',
    '  # Fill the hidden cells and compare with the truth, and with simple methods on the same cells.',
    '  trial:',
    '    uses: imputation/impute',
    '    with:',
    '      data: ${{ stages.holdout.masked }}',
    '      model: ${{ stages.train.model }}',
    '',
    '  evaluate:',
    '    uses: imputation/evaluate',
    '    with:',
    '      imputed: ${{ stages.trial.data }}',
    '      truth: ${{ stages.ingest.data }}',
    '      mask: ${{ stages.holdout.mask }}',
    `      baselines: ${large ? '[mean, mode]' : '[mean, mode, knn]'}`,
    '    # gate: metrics.rmse <= metrics.baselines.mean.rmse      # stop here when simple methods do better',
    '',
    ...(missing > 0
      ? [
          '  # Fill the cells that are truly missing; all others stay as they are, bit for bit.',
          '  fill:',
          '    uses: imputation/impute',
          '    with:',
          '      data: ${{ stages.ingest.data }}',
          '      model: ${{ stages.train.model }}',
          '',
          '  export:',
          '    uses: data/export',
          '    needs: [evaluate]',
          '    with:',
          '      data: ${{ stages.fill.data }}',
          `      uri: ${out}-filled.parquet`,
          '',
        ]
      : []),
    `  # The model’s own view of each row: ${latentDim} numbers.`,
    '  latent:',
    '    uses: model/encode',
    '    with:',
    `      data: ${missing > 0 ? '${{ stages.fill.data }}' : '${{ stages.ingest.data }}'}`,
    '      model: ${{ stages.train.model }}',
    '',
    '  exportLatents:',
    '    uses: data/export',
    '    needs: [evaluate]',
    '    with:',
    '      data: ${{ stages.latent.data }}',
    `      uri: ${out}-latents.parquet`,
    '',
    `# A name for the model, with versions: hourglass apply ${name}_model@latest NEW_TABLE`,
    'publish:',
    `  ${name}_model: \${{ stages.train.model }}`,
  ];
  return `${lines.filter((line) => line !== false).join('\n')}\n`;
}

/** What the table promises today. Bounds only where they are facts of the matter (no negative amounts), not of the sample. */
function contract(rows: number, columns: readonly JudgedColumn[]): string[] {
  const complete = columns.filter(({ profile }) => profile.missing === 0).map(({ name }) => name);
  const types = columns.map(({ name, type }): [string, string] => [
    name,
    type === 'integer' || type === 'float' ? 'number' : type,
  ]);
  const known = new Set(['number', 'boolean', 'string', 'date', 'timestamp']);
  const positive = columns.filter(
    ({ type, profile }) =>
      (type === 'integer' || type === 'float') && typeof profile.min === 'number' && profile.min >= 0,
  );
  const closed = columns.filter(
    ({ type, profile, excluded }) =>
      type === 'string' &&
      !excluded &&
      profile.distinct !== undefined &&
      profile.distinct <= 12 &&
      profile.top?.length === profile.distinct,
  );
  const ids = columns
    .filter(({ excluded, profile }) => excluded?.endsWith('an id') && !profile.distinctEstimated)
    .map(({ name }) => name);
  return [
    '      contract:',
    `        minRows: ${Math.max(1, Math.floor(rows / 2))} # half of today’s`,
    `        types: ${flowMap(
      types.filter(([, type]) => known.has(type)),
      15,
    )}`,
    ...(complete.length ? [`        notNull: ${flow(complete, 17)} # complete today`] : []),
    ...(positive.length
      ? [
          `        ranges: ${flowMap(
            positive.map(({ name }) => [name, '{ min: 0 }']),
            16,
          )}`,
        ]
      : []),
    ...(closed.length
      ? [
          '        values:',
          ...closed.map(
            ({ name, profile }) =>
              `          ${quote(name)}: ${flow(profile.top!.map(({ value }) => value).sort(), name.length + 12)}`,
          ),
        ]
      : []),
    ...(ids.length ? [`        unique: ${flow(ids, 16)}`] : []),
  ];
}

function exclusions(excluded: readonly JudgedColumn[]): string[] {
  if (excluded.length === 0) return [];
  return [
    '      # These pass through untouched; nothing is learned from them.',
    '      exclude:',
    ...excluded.map(({ name, excluded: reason }) => `        - ${quote(name)} # ${reason}`),
  ];
}

const WIDTH = 110;

/** `[a, b, c]`, broken into lines that stand under the first item. */
function flow(items: readonly string[], indent: number): string {
  return broken(items.map(quote), indent, '[', ']');
}

function flowMap(entries: readonly (readonly [string, string])[], indent: number): string {
  return broken(
    entries.map(([name, value]) => `${quote(name)}: ${value}`),
    indent,
    '{ ',
    ' }',
  );
}

function broken(items: readonly string[], indent: number, open: string, close: string): string {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    const next = line ? `${line}, ${item}` : item;
    if (line && indent + next.length > WIDTH) {
      lines.push(`${line},`);
      line = item;
    } else line = next;
  }
  lines.push(line);
  return open + lines.join(`\n${' '.repeat(indent + open.length)}`) + close;
}

/** A name or text as YAML takes it for text, whatever is in it. */
function quote(text: string): string {
  const plain =
    /^[A-Za-z_./][\w./ -]*$/.test(text) &&
    !/\s$/.test(text) &&
    !/^(true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan)$/i.test(text);
  return plain && !text.includes(' #') ? text : JSON.stringify(text);
}

const group = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
