import { join } from 'node:path';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { ALL, PICTURE_SETS, pictureSet, type PictureSet } from './picture-sets.ts';
import { chosenTables } from './labelled-tables.ts';
import { runPython } from './python.ts';
import { rounded } from './rounded.ts';
import { takeFirst } from './take-first.ts';
import { withStages } from './with-stages.ts';

export const name = 'denoising';
export const summary =
  'Gaussian noise taken off pictures not learned from, beside scikit-image, BM3D and PCA-Wiener at their best settings';

interface Score {
  psnr: number;
  meanPsnr: number;
  ssim: number;
}
/** Metrics of denoising/evaluate. */
interface Measured extends Score {
  noisy: Score;
  baselines: Record<string, Score>;
}
interface Peers {
  noisy: number;
  scores: Record<string, Score & { seconds: number; setting: number }>;
  versions: Record<string, string>;
}

/** Pictures measured, the first of the test part. */
const MEASURED = 500;

/** Options of denoising/train, deviation of the noise in grey levels of 255, and the epochs over all pictures. */
const CASES: {
  set: PictureSet;
  levels: [level: number, shown: string][];
  train: Record<string, unknown>;
  epochs: number;
}[] = [
  {
    set: 'mnist',
    levels: [
      [0.25, '.25'],
      [0.5, '.5'],
    ],
    train: { width: 16, augment: 'none', batchSize: 64, learningRate: 0.003 },
    epochs: 5,
  },
  {
    set: 'cifar',
    levels: [
      [25 / 255, '25/255'],
      [50 / 255, '50/255'],
    ],
    train: {
      width: 48,
      levels: 2,
      augment: 'all',
      batchSize: 16,
      learningRate: 0.003,
      validationFraction: 0.02,
    },
    epochs: 7,
  },
];

/** Figures of our own peers that are known from elsewhere: pooled PSNR of PCA-Wiener on 10 000 test pictures, and noise itself. */
const KNOWN: Record<string, number> = {
  'mnist .25 nlm': 21.9,
  'mnist .5 pca-wiener': 17.62,
  'cifar 25/255 pca-wiener': 27.22,
  'cifar 50/255 pca-wiener': 23.86,
};
/** How far a figure of 500 pictures may be from one of 10 000, in dB. */
const GUARD = 0.5;

export async function run({ rows: most, tables, peers, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  const wanted = chosenTables(PICTURE_SETS, tables);
  let versions: Record<string, string> = {};
  await withStages(async (stage, { store, folder }) => {
    for (const { set, levels, train, epochs: all } of CASES.filter((each) => wanted.includes(each.set))) {
      const count = Math.min(most ?? ALL[set], ALL[set]);
      // Fewer pictures are passed over more often, though not as often as would make the steps the same.
      const epochs = Math.round(all * (ALL[set] / count) ** 0.25);
      log(`${set}: reading the pictures`);
      const pictures = await pictureSet(stage, store, set, count);
      const test = await takeFirst(store, pictures.test, MEASURED);
      const file = join(folder, `${set}.parquet`);
      await stage('data/export', { uri: file }, { data: test });
      for (const [level, sigma] of levels) {
        const add = (method: string, { psnr, meanPsnr, ssim }: Score, train = '', each: number | '' = ''): void =>
          addRow({
            pictures: set,
            σ: sigma,
            method,
            'PSNR pooled': rounded(psnr, 2),
            'PSNR mean': rounded(meanPsnr, 2),
            SSIM: rounded(ssim, 3),
            'train s': train,
            'ms a picture': each,
          });
        log(`${set}, σ = ${sigma}: learning from ${count} pictures, ${epochs} epochs`);
        const learned = await stage('denoising/train', { ...train, level, epochs }, { data: pictures.train });
        const measure = async (options: { baselines: string[]; selfEnsemble?: boolean }): Promise<Measured> => {
          const inputs = { data: test, model: learned.outputs.model!, reference: pictures.train };
          const measured = await stage('denoising/evaluate', { maxImages: MEASURED, ...options }, inputs);
          return measured.metrics.metrics as Measured;
        };
        const ours = await measure({ baselines: ['pca-wiener'] });
        add('Hourglass denoising/train', ours, String(Math.round(learned.seconds)));
        if (train.augment !== 'none')
          add('the same, selfEnsemble', await measure({ baselines: [], selfEnsemble: true }));
        log(`${set}, σ = ${sigma}: peers`);
        const args = [file, '--sigma', String(level), '--count', String(MEASURED)];
        const found = await runPython<Peers>(
          'denoising_peers.py',
          peers ? [...args, '--peers', peers.join(',')] : args,
          'images',
        );
        versions = found.versions;
        for (const [peer, score] of Object.entries(found.scores))
          add(`${peer} (${score.setting} σ)`, score, '', rounded((1000 * score.seconds) / MEASURED, 1));
        add('PCA-Wiener (metrics)', ours.baselines['pca-wiener']!);
        const expected = -20 * Math.log10(level);
        notes.push(
          said(`${set} σ = ${sigma}, the noise itself`, expected, found.noisy, 0.05),
          said(`${set} σ = ${sigma}, the noise itself in denoising/evaluate`, expected, ours.noisy.psnr, 0.05),
        );
        for (const [method, psnr] of [
          ...Object.entries(found.scores).map(([peer, score]) => [peer, score.psnr] as const),
          ['pca-wiener', ours.baselines['pca-wiener']!.psnr] as const,
        ]) {
          const known = KNOWN[`${set} ${sigma} ${method}`];
          if (known !== undefined) notes.push(said(`${set} σ = ${sigma}, ${method}`, known, psnr, GUARD));
        }
      }
      notes.push(
        `${set}: ${count} of ${ALL[set]} pictures learned from, ${epochs} epochs, options of denoising/train ${JSON.stringify(train)}; measured on the first ${MEASURED} test pictures`,
      );
    }
  });
  notes.push(
    `peers have the best of several settings on the first 24 of the pictures measured; ${Object.entries(versions)
      .map((pair) => pair.join(' '))
      .join(', ')}; noise is not clipped, answers are`,
  );
  return { rows, notes };
}

const said = (what: string, known: number, found: number, within: number): string =>
  `guard ${what}: known ${rounded(known, 2)} dB, found ${rounded(found, 2)}${Math.abs(found - known) <= within ? '' : ', NOT MET'}`;
