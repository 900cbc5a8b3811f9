import { join } from 'node:path';
import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { auroc, conformalPValue, falseAlarmInterval } from '@hourglass/metrics';
import { CASES, REPEATS, type AnomalyCase } from './anomaly-cases.ts';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { benchmarkData } from './data-folder.ts';
import { runPython } from './python.ts';
import type { RunStage } from './run-stage.ts';
import { deviation, mean } from './spread.ts';
import { withStages } from './with-stages.ts';

export const name = 'anomaly';
export const summary =
  'AUROC × 100 of unseen normal rows against anomalies, learned from half of the normal rows (protocol of DTE), and false alarms';

/** How far a peer's figure may be from the known one, in AUROC × 100. */
const GUARD = 0.3;
const LEVEL = 0.05;
/** Rows for the time that scoring takes. */
const MANY = 1_000_000;

interface Peers {
  train: number;
  normals: number;
  anomalies: number;
  scores: Record<string, { auroc: number; seconds: number }>;
  versions: Record<string, string>;
}

export async function run({
  seeds = 5,
  tables,
  peers,
  rows: many = MANY,
  log,
}: BenchmarkOptions): Promise<BenchmarkResult> {
  const chosen = CASES.filter((each) => tables?.includes(each.table) ?? true);
  const files = chosen.map(({ table }) => benchmarkData(`${table}.parquet`));
  const notes: string[] = [];
  const columns: { title: string; scores: Record<string, number[]>; seconds: number[] }[] = [];
  let versions = '';
  await withStages(async (stage, { store, folder }) => {
    for (const [c, one] of chosen.entries()) {
      const title = `${one.table} ${one.split}`;
      const scores: Record<string, number[]> = {};
      const seconds: number[] = [];
      const alarms: Alarms[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        log(`${title}, seed ${seed + 1} of ${seeds}: peers`);
        const prefix = join(folder, `${one.table}-${one.split}-${seed}-`);
        const peer = await runPython<Peers>('anomaly_peers.py', peerArguments(one, files[c]!, seed, prefix, peers));
        versions ||= Object.entries(peer.versions)
          .map(([library, version]) => `${library} ${version}`)
          .join(', ');
        log(`${title}, seed ${seed + 1} of ${seeds}: Hourglass`);
        const ours = await detect(stage, store, prefix, one, seed);
        seconds.push(ours.seconds);
        for (const [method, found] of Object.entries({ ...peer.scores, ours: { auroc: ours.auroc } }))
          (scores[method] ??= []).push(100 * found.auroc);
        alarms.push(...falseAlarms(ours.normals, seed));
        if (seed === 0)
          notes.push(
            `${title}: learned from ${peer.train} rows, tested on ${peer.normals} normal rows and ${peer.anomalies} anomalies`,
          );
        if (one.table === 'shuttle' && seed === 0) {
          log(`scoring ${many} rows`);
          notes.push(await timeScoring(stage, store, prefix, ours.model, many));
        }
      }
      for (const [method, figure] of Object.entries(one.known)) {
        if (!scores[method]) continue;
        const met = Math.abs(mean(scores[method]) - figure) <= GUARD;
        notes.push(
          `guard ${title} ${method}: known ${figure}, found ${mean(scores[method]).toFixed(2)}${met ? '' : ', NOT MET'}`,
        );
      }
      if (alarms.length > 0) notes.push(alarmNote(title, alarms));
      columns.push({ title, scores, seconds });
    }
    notes.push(
      `options of anomaly-detection/train: ${[...new Set(chosen.map((each) => `${each.table} ${JSON.stringify(each.train)}`))].join(', ')}; otherwise its defaults`,
      `± is the standard deviation over seeds; of a file-order split only the networks (and forests) change`,
      `peers: ${versions}, on standardised columns; k-NN with k = 5 (largest distance), LOF with k = 20, PyOD’s with their defaults`,
    );
  });
  return { rows: tabulate(columns), notes };
}

const peerArguments = (
  { label, normal, drop, split }: AnomalyCase,
  file: string,
  seed: number,
  prefix: string,
  peers: string[] | undefined,
): string[] => [
  file,
  '--label',
  label,
  '--normal',
  normal.join(','),
  '--drop',
  (drop ?? []).join(','),
  '--split',
  split,
  '--seed',
  String(seed),
  '--out',
  prefix,
  ...(peers ? ['--peers', peers.join(',')] : []),
];

interface Detected {
  model: ArtifactRef;
  auroc: number;
  /** Scores of the unseen normal rows. */
  normals: Float64Array;
  seconds: number;
}

/** Learns and scores by the shipped stages. */
async function detect(
  stage: RunStage,
  artifacts: ArtifactStore,
  prefix: string,
  { train }: AnomalyCase,
  seed: number,
): Promise<Detected> {
  const read = async (what: string): Promise<ArtifactRef> =>
    (await stage('data/ingest', { uri: `${prefix}${what}.parquet`, profile: false })).outputs.data!;
  const learned = { label: 'is_normal', normal: [true], ...train };
  const trained = await stage('anomaly-detection/train', learned, { data: await read('train') }, seed);
  const model = trained.outputs.model!;
  const scored = await stage('anomaly-detection/score', { reasons: 0 }, { data: await read('test'), model }, seed);
  const table = await (await openDataset(artifacts, scored.outputs.data!)).table(['is_normal', 'score']);
  const values = (column: string): Float64Array => {
    const data = table.columns[column]!;
    return data.kind === 'numeric' ? data.values : new Float64Array();
  };
  const [isNormal, score] = [values('is_normal'), values('score')];
  return {
    model,
    auroc: auroc(
      Uint8Array.from(isNormal, (normal) => 1 - normal),
      score,
    ),
    normals: score.filter((_, i) => isNormal[i] === 1),
    seconds: trained.seconds + scored.seconds,
  };
}

interface Alarms {
  rate: number;
  low: number;
  high: number;
  calibration: number;
  test: number;
}

/** Calibrates on a random half of the unseen normal rows and counts the alarms among the other, several times. */
function falseAlarms(normals: Float64Array, seed: number): Alarms[] {
  return Array.from({ length: REPEATS }, (_, repeat) => {
    const shuffled = shuffle(normals, seed * REPEATS + repeat + 1);
    const calibration = shuffled
      .subarray(0, shuffled.length >> 1)
      .slice()
      .sort();
    const test = shuffled.subarray(shuffled.length >> 1);
    let flagged = 0;
    for (const score of test) if (conformalPValue(calibration, score) <= LEVEL * (1 + 1e-12)) flagged++;
    const { low, high } = falseAlarmInterval(LEVEL, calibration.length, test.length);
    return { rate: flagged / test.length, low, high, calibration: calibration.length, test: test.length };
  });
}

function shuffle(values: Float64Array, seed: number): Float64Array {
  const shuffled = values.slice();
  // A small generator of its own (mulberry32): which rows calibrate has nothing to do with how the detector was made.
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

function alarmNote(title: string, alarms: Alarms[]): string {
  const { low, high, calibration, test } = alarms[0]!;
  const rate = mean(alarms.map((each) => each.rate));
  const inside = alarms.filter((each) => each.rate >= each.low && each.rate <= each.high).length;
  const met = rate >= low && rate <= high;
  return `${title}: false alarms at level ${LEVEL}: mean ${(100 * rate).toFixed(2)} % over ${alarms.length} random splits (${calibration} rows to calibrate, ${test} to test), interval ${(100 * low).toFixed(2)} … ${(100 * high).toFixed(2)} %${met ? '' : ', NOT MET'}; ${inside} of ${alarms.length} splits inside`;
}

/** Scores the test rows again and again until they are many. */
async function timeScoring(
  stage: RunStage,
  artifacts: ArtifactStore,
  prefix: string,
  model: ArtifactRef,
  rows: number,
): Promise<string> {
  const { outputs } = await stage('data/ingest', { uri: `${prefix}test.parquet`, profile: false });
  const data = await queryDataset(artifacts, {
    inputs: { test: outputs.data! },
    sql: `SELECT test.* FROM range(${rows}) copies(i), test LIMIT ${rows}`,
  });
  const plain = await stage('anomaly-detection/score', { reasons: 0 }, { data, model });
  const told = await stage('anomaly-detection/score', {}, { data, model });
  return `scoring ${rows} rows of 9 columns, stage process and writing of the result included: ${plain.seconds.toFixed(1)} s, with reasons ${told.seconds.toFixed(1)} s`;
}

function tabulate(
  columns: { title: string; scores: Record<string, number[]>; seconds: number[] }[],
): Record<string, string | number>[] {
  const methods = [...new Set(columns.flatMap(({ scores }) => Object.keys(scores)))];
  const rows = methods.map((method) => {
    const row: Record<string, string | number> = { method: method === 'ours' ? 'Hourglass' : method };
    const means: number[] = [];
    for (const { title, scores } of columns) {
      const found = scores[method];
      row[title] = found ? `${mean(found).toFixed(2)} ± ${deviation(found).toFixed(2)}` : '';
      if (found) means.push(mean(found));
    }
    row.mean = means.length === columns.length ? mean(means).toFixed(2) : '';
    return row;
  });
  return [
    ...rows,
    {
      method: 'Hourglass s',
      ...Object.fromEntries(columns.map(({ title, seconds }) => [title, mean(seconds).toFixed(1)])),
    },
  ];
}
