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
import { openColourist, type Hint } from '../open-colourist.ts';
import { run as trainRun } from '../train.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-colorization-onnx-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context: FakeContextOptions = { artifacts, engine: 'onnxruntime' };
const photographs = await ingest(artifacts, {
  uri: fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url)),
  sample: { rows: 80 },
});
const SIZES = [
  [32, 32],
  [37, 90],
] as const;
/** Pure red, whose a* and b* are known. */
const RED: Hint = { x: 4, y: 7, colour: '#ff0000', radius: 1 };
const RED_AB = [80.09, 67.2] as const;

for (const [head, hints] of [
  ['faithful', 0],
  ['faithful', 0.02],
  ['vivid', 0],
] as const)
  it(`a file of a ${head} colourist${hints ? ' that takes hints' : ''} gives its colours at any height and width`, async () => {
    const { model: ref } = (
      await runStage({
        manifest: train,
        run: trainRun,
        inputs: { data: photographs },
        options: { levels: 2, width: 8, epochs: 3, batchSize: 16, head, hints },
        context,
      })
    ).outputs;
    const colourist = await openColourist(fakeContext(context), ref, {});
    const { bytes, inputs } = await exportImageModel(await loadImageModel(artifacts, ref));
    expect(inputs.map(({ name, width }) => [name, width])).toEqual([
      ['lightness', 1],
      ...(hints ? [['hints', 3]] : []),
    ]);
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
    for (const [height, width] of SIZES) {
      const values = drawUniform({ seed: 5, domain: 'host', step: height, call: 0 }, height * width).map(
        (u) => 100 * u,
      );
      const known = new Float32Array(height * width * 3);
      for (let y = RED.y - 1; y <= RED.y + 1; y++)
        for (let x = RED.x - 1; x <= RED.x + 1; x++) known.set([...RED_AB, 1], 3 * (y * width + x));
      const { ab } = await session.run({
        lightness: new Tensor('float32', values, [1, height, width, 1]),
        ...(hints ? { hints: new Tensor('float32', known, [1, height, width, 3]) } : {}),
      });
      expect(ab!.dims).toEqual([1, height, width, 2]);
      const ours = await colourist.colours({ width, height, channels: 1, values }, hints ? [RED] : []);
      let most = 0;
      for (const [i, value] of ours.values.entries())
        most = Math.max(most, Math.abs(value - (ab!.data as Float32Array)[i]!));
      // In units of the network, whose answer is 50 times finer than a* and b*; the hint's own colour is known to a hundredth.
      expect(most / 50).toBeLessThan(hints ? 1e-3 : 1e-5);
    }
    colourist.dispose();
  });
