import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { exportImageModel, loadImageModel } from '@hourglass/autoencoder';
import { ingest } from '@hourglass/dataset';
import { drawUniform } from '@hourglass/engine';
import { fakeContext, runStage, type FakeContextOptions } from '@hourglass/plugin-kit/testing';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, it } from 'vitest';
import { train } from '../index.ts';
import { openDenoiser } from '../pictures/open-denoiser.ts';
import { run as trainRun } from '../train.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-denoising-onnx-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context: FakeContextOptions = { artifacts, engine: 'onnxruntime' };
const photographs = await ingest(artifacts, {
  uri: fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url)),
  sample: { rows: 60 },
});

/** As small as can be, as the windows would cut it, and sides that cannot be halved. */
const SIZES = [
  [1, 1],
  [32, 32],
  [45, 250],
] as const;

for (const levelMap of [false, true])
  it(`a file of a denoiser${levelMap ? ' that is told the level' : ''} gives its answers at any height and width`, async () => {
    const { model: ref } = (
      await runStage({
        manifest: train,
        run: trainRun,
        inputs: { data: photographs },
        options: { levels: 3, width: 8, epochs: 3, level: [0.05, 0.3], levelMap },
        context,
      })
    ).outputs;
    const denoiser = await openDenoiser(fakeContext(context), ref);
    const { bytes, inputs, outputs } = await exportImageModel(await loadImageModel(artifacts, ref));
    expect(inputs.map(({ name, width }) => [name, width])).toEqual([
      ['picture', 3],
      ...(levelMap ? [['level', 1]] : []),
    ]);
    expect(outputs).toEqual([{ name: 'clean', type: 'float32', width: 3 }]);
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
    for (const [height, width] of SIZES) {
      const values = drawUniform({ seed: 3, domain: 'host', step: height, call: 0 }, height * width * 3);
      const { clean } = await session.run({
        picture: new Tensor('float32', values, [1, height, width, 3]),
        ...(levelMap ? { level: new Tensor('float32', Float32Array.of(0.2), [1, 1]) } : {}),
      });
      expect(clean!.dims).toEqual([1, height, width, 3]);
      const ours = await denoiser.clean({ width, height, channels: 3, values }, 0.2);
      let most = 0;
      for (const [i, value] of ours.values.entries())
        most = Math.max(most, Math.abs(Math.min(1, Math.max(0, value)) - (clean!.data as Float32Array)[i]!));
      expect(most).toBeLessThan(1e-5);
    }
    denoiser.dispose();
  });
