import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { ALL, pictureSet } from './picture-sets.ts';
import { rounded } from './rounded.ts';
import { takeFirst } from './take-first.ts';
import { withStages } from './with-stages.ts';

export const name = 'colorization';
export const summary =
  'Colours of photographs not learned from, lightness kept, beside no colour and the mean colour of each lightness';

interface Score {
  psnr: number;
  abRmse: number;
  colourfulness: number;
}
interface Metrics extends Score {
  truth: { colourfulness: number };
  baselines: { grey: Score; mean: Score };
}

/** Epochs over all pictures. */
const EPOCHS = 8;
const TRAIN = { width: 24, batchSize: 64, learningRate: 0.002, grey: 'skip' };

/** Pooled PSNR, ab-RMSE and colourfulness known from elsewhere, of all 10 000 test pictures. */
const KNOWN = { grey: [21.55, 14.02, 0], mean: [21.91, 13.29, 9.4], truth: 34.1 } as const;

export async function run({ rows: most, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  const add = (method: string, { psnr, abRmse, colourfulness }: Score, seconds: string): void =>
    addRow({
      method,
      'PSNR pooled': rounded(psnr, 2),
      'ab-RMSE': rounded(abRmse, 2),
      colourfulness: rounded(colourfulness, 1),
      'train s': seconds,
    });
  const count = Math.min(most ?? ALL.cifar, ALL.cifar);
  const epochs = Math.round(EPOCHS * (ALL.cifar / count) ** 0.25);
  const measured = count < ALL.cifar ? 2000 : 10_000;
  await withStages(async (stage, { store }) => {
    log('reading the pictures');
    const pictures = await pictureSet(stage, store, 'cifar', count);
    const test = await takeFirst(store, pictures.test, measured);
    for (const head of ['faithful', 'vivid']) {
      log(`${head}: learning from ${count} pictures, ${epochs} epochs`);
      const learned = await stage('colorization/train', { ...TRAIN, head, epochs }, { data: pictures.train });
      const found = await stage(
        'colorization/evaluate',
        { maxImages: measured },
        { data: test, model: learned.outputs.model!, reference: pictures.train },
      );
      const metrics = found.metrics.metrics as Metrics;
      add(`Hourglass colorization/train, ${head}`, metrics, String(Math.round(learned.seconds)));
      if (head === 'faithful') continue;
      const { grey, mean } = metrics.baselines;
      add('mean colour of each lightness', mean, '');
      add('no colour', grey, '');
      add('the truth', { psnr: Infinity, abRmse: 0, colourfulness: metrics.truth.colourfulness }, '');
      for (const [what, score, known] of [
        ['no colour', grey, KNOWN.grey],
        ['mean colour', mean, KNOWN.mean],
      ] as const)
        notes.push(
          `guard ${what}: known ${known[0]} dB and ab-RMSE ${known[1]} of 10 000 pictures, found ${rounded(score.psnr, 2)} and ${rounded(score.abRmse, 2)}${Math.abs(score.psnr - known[0]) <= (measured < 10_000 ? 0.3 : 0.05) ? '' : ', NOT MET'}`,
        );
      notes.push(`colourfulness of the truth: known ${KNOWN.truth}, found ${rounded(metrics.truth.colourfulness, 1)}`);
    }
  });
  notes.push(
    `${count} of ${ALL.cifar} pictures learned from, ${epochs} epochs, options of colorization/train ${JSON.stringify(TRAIN)}; measured on the first ${measured} test pictures; vivid at temperature 0.38`,
  );
  return { rows, notes };
}
