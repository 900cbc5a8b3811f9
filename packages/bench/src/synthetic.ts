import { join } from 'node:path';
import type { ArtifactRef } from '@hourglass/core';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { benchmarkData } from './data-folder.ts';
import { runPython } from './python.ts';
import { mean } from './spread.ts';
import { DIGITS, measureDigits, type DigitsTable } from './synthetic-digits.ts';
import { spread, worthCells, type Worth } from './synthetic-worth.ts';
import { withStages } from './with-stages.ts';

export const name = 'synthetic';
export const summary =
  'Rows drawn after learning one half of a table, judged by the other half; every method by the same stage, synthetic-data/evaluate';

interface TableCase {
  table: string;
  label: string;
  /** Options of synthetic-data/train. */
  train: Record<string, unknown>;
}

const TABLES: TableCase[] = [
  { table: 'telco-churn', label: 'churn', train: { epochs: 100 } },
  { table: 'credit', label: 'Status', train: { epochs: 100 } },
  { table: 'letter', label: 'lettr', train: { epochs: 100, width: 128 } },
];

const METHODS = {
  ours: 'Hourglass synthetic-data/train + sample',
  tvae: 'SDV TVAE, 300 epochs',
  copula: 'SDV Gaussian copula',
  empirical: 'Gaussian copula, empirical columns',
  independent: 'independent columns',
} as const;
type Method = keyof typeof METHODS;

interface Peers {
  scores: Record<string, { seconds: number; quality: number; path: string }>;
  versions: Record<string, string>;
}

interface Evaluation extends Worth {
  real: Worth['utility'];
  scoredBy: string;
  baselines: { copula?: Worth; independent?: Worth };
}

/** How far our quality may be from SDMetrics' own of the same rows. */
const GUARD = 1e-3;

export async function run({ seeds = 1, tables, peers, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const chosen = TABLES.filter(({ table }) => tables?.includes(table) ?? true);
  const files = chosen.map(({ table }) => benchmarkData(`${table}.parquet`));
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  let farthest = 0;
  const digits = (Object.keys(DIGITS) as DigitsTable[]).filter((table) => tables?.includes(table) ?? true);
  await withStages(async (stage, { folder }) => {
    for (const table of digits) {
      log(`${table}: Hourglass`);
      addRow(await measureDigits(stage, table, 0));
      notes.push(`${table}: options of synthetic-data/train ${JSON.stringify(DIGITS[table])}`);
    }
    for (const [t, { table, label, train: options }] of chosen.entries()) {
      const found: Partial<Record<Method, { worth: Worth; seconds: number }[]>> = {};
      const real: Worth['utility'][] = [];
      let scoredBy = '';
      for (let seed = 0; seed < seeds; seed++) {
        const who = `${table}, split ${seed + 1} of ${seeds}`;
        const data = (await stage('data/ingest', { uri: files[t], profile: false })).outputs.data!;
        const split = await stage('data/split', { method: 'stratified', by: label, test: 0.5 }, { data }, 100 + seed);
        const [train, test] = [split.outputs.train!, split.outputs.test!];
        const prefix = join(folder, `${table}-${seed}-`);
        const write = (what: string, ref: ArtifactRef) =>
          stage('data/export', { uri: `${prefix}${what}.parquet` }, { data: ref });
        await write('train', train);
        log(`${who}: Hourglass`);
        const learned = await stage('synthetic-data/train', options, { data: train }, seed);
        const drawn = await stage('synthetic-data/sample', {}, { model: learned.outputs.model! }, seed);
        await write('ours', drawn.outputs.data!);
        log(`${who}: peers`);
        const peer = await runPython<Peers>(
          'synthetic_peers.py',
          [
            `${prefix}train.parquet`,
            ...['--out', prefix, '--rows', String(train.rows), '--seed', String(seed)],
            ...(peers ? ['--peers', peers.join(',')] : []),
            ...['--score', `ours=${prefix}ours.parquet`],
          ],
          'synthetic',
        );
        const judge = async (synthetic: ArtifactRef, baselines: string[]): Promise<Evaluation> => {
          const { metrics } = await stage(
            'synthetic-data/evaluate',
            { label, baselines },
            { synthetic, train, test },
            seed,
          );
          return metrics.metrics as unknown as Evaluation;
        };
        const keep = (method: Method, worth: Worth, seconds: number): void =>
          void (found[method] ??= []).push({ worth, seconds });
        log(`${who}: judging`);
        const ours = await judge(drawn.outputs.data!, ['copula', 'independent']);
        keep('ours', ours, learned.seconds + drawn.seconds);
        farthest = Math.max(farthest, Math.abs(ours.quality - peer.scores.ours!.quality));
        for (const [method, { path, seconds, quality }] of Object.entries(peer.scores)) {
          if (method === 'ours') continue;
          const made = (await stage('data/ingest', { uri: path, profile: false })).outputs.data!;
          const worth = await judge(made, []);
          farthest = Math.max(farthest, Math.abs(worth.quality - quality));
          keep(method as Method, worth, seconds);
        }
        keep('empirical', ours.baselines.copula!, 0);
        keep('independent', ours.baselines.independent!, 0);
        real.push(ours.real);
        scoredBy = ours.scoredBy;
        if (!notes.some((note) => note.startsWith('peers')))
          notes.push(
            `peers: ${Object.entries(peer.versions)
              .map(([library, version]) => `${library} ${version}`)
              .join(', ')}; one thread`,
          );
      }
      for (const [method, title] of Object.entries(METHODS)) {
        const all = found[method as Method];
        if (!all) continue;
        addRow({
          table,
          method: title,
          ...worthCells(all.map(({ worth }) => worth)),
          seconds: Number(mean(all.map(({ seconds }) => seconds)).toFixed(1)),
        });
      }
      const learned = (learner: keyof Worth['utility']): string => spread(real.map((utility) => utility[learner]));
      notes.push(
        `${table}: by ${scoredBy}; fitted on the real rows: logistic ${learned('logistic')}, forest ${learned('forest')}; options of synthetic-data/train ${JSON.stringify(options)}`,
      );
    }
  });
  notes.push(
    `half of each table, stratified by label, is learned from, as many rows are drawn, the other half tests${seeds > 1 ? `; ± is the standard deviation over ${seeds} splits and seeds` : ''}`,
    'nearer share: of drawn rows, those nearer to rows learned from than to as many never seen; .5 by chance',
    `guard: quality of the same rows by SDMetrics differs by at most ${farthest.toExponential(1)}${farthest <= GUARD ? '' : ', NOT MET'}`,
  );
  return { rows, notes };
}
