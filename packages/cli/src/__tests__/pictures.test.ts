import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { ingest, queryDataset } from '@hourglass/dataset';
import { encodePng, readImages } from '@hourglass/images';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkspace, type Workspace } from './support/workspace.ts';

// A folder of photographs through every learner of tables.

const cifar = fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url));

const search = `hourglass: v1
name: photos
seed: 7
engine: onnxruntime
stages:
  photos: { uses: data/images, with: { uri: photos, resize: { width: 16, height: 16, fit: crop } } }
  pixels: { uses: data/pixels, with: { data: '\${{ stages.photos.data }}' } }
  train:
    uses: object-matching/train
    with:
      data: \${{ stages.pixels.data }}
      columns: [pixels]
      latentDim: 8
      epochs: 1
      architecture: conv
      width: 8
      warp: 0.1
      shape: [16, 16]
  index:
    uses: object-matching/index
    with: { data: '\${{ stages.pixels.data }}', model: '\${{ stages.train.model }}', id: path, payload: [label] }
  match:
    uses: object-matching/match
    with: { data: '\${{ stages.pixels.data }}', index: '\${{ stages.index.index }}', queryId: path, k: 2 }
  export: { uses: data/export, with: { data: '\${{ stages.match.data }}', uri: matches.csv } }
  reduce:
    uses: dimensionality-reduction/train
    with: { data: '\${{ stages.pixels.data }}', columns: [pixels], latentDim: 4, width: 16, epochs: 1 }
  small: { uses: data/images, with: { data: '\${{ stages.photos.data }}', resize: { width: 6, height: 6 } } }
  cells: { uses: data/pixels, with: { data: '\${{ stages.small.data }}', layout: columns } }
  unusual:
    uses: anomaly-detection/train
    with: { data: '\${{ stages.cells.data }}', exclude: [path, label], width: 16, epochs: 1, scores: [reconstruction] }
`;

let w: Workspace;
beforeAll(async () => {
  w = makeWorkspace({ 'photos.yaml': search });
  const { artifacts } = await openStore(join(w.dir, 'photos-store'));
  const all = await ingest(artifacts, { uri: cifar });
  const some = await queryDataset(artifacts, { inputs: { given: all }, sql: 'SELECT * FROM given LIMIT 40' });
  for await (const { image, row, record } of readImages(artifacts, some, { where: 'test' })) {
    mkdirSync(join(w.dir, 'photos', record.label as string), { recursive: true });
    writeFileSync(join(w.dir, 'photos', record.label as string, `${row}.png`), await encodePng(image));
  }
});
afterAll(() => w.remove());

it('photographs of a folder are searched by name, reduced and looked over for unusual ones', async () => {
  const { code, out, err } = await w.call(['run', 'photos.yaml']);
  expect(err).toBe('');
  expect(out).toMatch(/photos succeeded/);
  expect(code).toBe(0);
  const [header, ...matches] = readFileSync(join(w.dir, 'matches.csv'), 'utf8').trim().split('\n');
  expect(header).toBe('query,rank,match,distance,margin,label');
  expect(matches).toHaveLength(80);
  // Each finds itself first, under the name it has in the folder, with its label.
  for (const line of matches.filter((_, i) => i % 2 === 0)) {
    const [query, rank, match, , , label] = line.split(',');
    expect([rank, match, label]).toEqual(['1', query, query!.split('/')[0]]);
  }
});
