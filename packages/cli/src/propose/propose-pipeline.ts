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
  const categorical = learned.filter((column) => column.categorical).map((column) => column.name);
  const scoredByClass = ({ type, categorical: codes }: JudgedColumn): boolean =>
    type === 'string' || type === 'boolean' || codes === true;
  const classes = learned.some(scoredByClass);
  const amounts = learned.some((column) => !scoredByClass(column));
  const missing = learned.reduce((sum, { profile }) => sum + profile.missing, 0);
  const share = (100 * missing) / Math.max(1, rows * learned.length);
  const latentDim = Math.max(1, Math.min(32, Math.round(learned.length / 2)));
  const large = rows > 100_000;
  const out = `out/${name}`;
  const baselines = [...(amounts ? ['mean'] : []), ...(classes ? ['mode'] : []), ...(amounts && !large ? ['knn'] : [])];
  const gate = [
    ...(amounts ? ['metrics.rmse <= metrics.baselines.mean.rmse'] : []),
    ...(classes ? ['metrics.accuracy >= metrics.baselines.mode.accuracy'] : []),
  ];
  const codes =
    categorical.length > 0 && `      categorical: ${flow(categorical, 20)} # numbers that are names, not amounts`;
  const notLearned = excluded.length > 0 && '      exclude: ${{ params.notLearned }}';
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
    `  epochs: { type: integer, default: ${large ? 20 : 60}, minimum: 1, description: Passes over the training rows at most }`,
    ...exclusions(excluded),
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
    notLearned,
    '',
    '  train:',
    '    uses: imputation/train',
    '    with:',
    '      data: ${{ stages.holdout.masked }}',
    notLearned,
    codes,
    `      latentDim: ${latentDim} # of ${learned.length} columns`,
    '      epochs: ${{ params.epochs }} # it stops before when it no longer gets better',
    `      batchSize: ${large ? 1024 : 256}`,
    '',
    '  # Fill the hidden cells and compare with the truth, and with simple methods on the same cells.',
    '  trial:',
    '    uses: imputation/impute',
    '    with:',
    '      data: ${{ stages.holdout.masked }}',
    '      model: ${{ stages.train.model }}',
    learned.some(({ type, categorical: isCode }) => type === 'integer' && !isCode) &&
      '      exact: true # whole numbers keep their fractions here, as the mean they are compared with does',
    '',
    '  evaluate:',
    '    uses: imputation/evaluate',
    '    with:',
    '      imputed: ${{ stages.trial.data }}',
    '      truth: ${{ stages.ingest.data }}',
    '      mask: ${{ stages.holdout.mask }}',
    codes,
    `      baselines: ${flow(baselines, 18)}`,
    rows > SCORED && `      maxRows: ${SCORED}`,
    '    # Stop here when simple methods do better: then there is nothing to learn, or not enough to learn from.',
    ...(gate.length > 1
      ? ['    gate: >-', ...gate.map((part, i) => `      ${i > 0 ? '&& ' : ''}${part}`)]
      : [`    gate: ${gate[0]!}`]),
    '',
    ...(missing > 0
      ? [
          '  # Fill the cells that are truly missing; all others stay as they are, bit for bit.',
          '  fill:',
          '    uses: imputation/impute',
          '    needs: [evaluate] # only by a model that passed',
          '    with:',
          '      data: ${{ stages.ingest.data }}',
          '      model: ${{ stages.train.model }}',
          '',
          '  export:',
          '    uses: data/export',
          '    with:',
          '      data: ${{ stages.fill.data }}',
          `      uri: ${out}-filled.parquet`,
          '',
        ]
      : []),
    `  # The model’s own view of each row: ${latentDim} numbers.`,
    '  latent:',
    '    uses: model/encode',
    missing === 0 && '    needs: [evaluate] # only by a model that passed',
    '    with:',
    `      data: ${missing > 0 ? '${{ stages.fill.data }}' : '${{ stages.ingest.data }}'}`,
    '      model: ${{ stages.train.model }}',
    '',
    '  exportLatents:',
    '    uses: data/export',
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

/** Rows to score: nearest neighbours compare all pairs. */
const SCORED = 5000;

/** What the table promises today. Bounds only where they are facts of the matter (no negative amounts), not of the sample. */
function contract(rows: number, columns: readonly JudgedColumn[]): string[] {
  const complete = columns.filter(({ profile }) => profile.missing === 0).map(({ name }) => name);
  // The type of a column without any value is only a guess of what reads the file.
  const types = columns
    .filter(({ profile }) => profile.missing < rows)
    .map(({ name, type }): [string, string] => [name, type === 'integer' || type === 'float' ? 'number' : type]);
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
    .filter(({ excluded, profile }) => excluded?.kind === 'id' && !profile.distinctEstimated)
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

/** One list for all stages: to learn from a column after all, its line goes. */
function exclusions(excluded: readonly JudgedColumn[]): string[] {
  if (excluded.length === 0) return [];
  const guessed = excluded.some(({ excluded: why }) => why?.kind === 'label');
  return [
    '  # These columns come through untouched, and nothing is learned from them.',
    ...(guessed
      ? [
          '  # Labels are guessed from name or place: a filled label is one the model made up, and latents that have seen it cheat.',
        ]
      : []),
    '  # To learn from a column after all, delete its line (`notLearned: []` when it was the last one).',
    '  notLearned:',
    ...excluded.map(({ name, excluded: why }) => `    - ${quote(name)} # ${why!.reason}`),
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
