import { writeFile } from 'node:fs/promises';
import { deliverFile } from '@hourglass/artifacts';
import { exportModel, loadModel, type ModelOutput, type ReadOut } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import type { exportStage } from './export-manifest.ts';

/** What a model is asked for when nobody says. */
const USUAL: Partial<Record<ReadOut['kind'], ModelOutput[]>> = {
  fill: ['latent', 'filled'],
  encode: ['latent'],
  match: ['latent'],
  score: ['latent', 'error'],
};

export const run: StageRun<typeof exportStage> = async (context, { model: ref }, { uri, outputs, exact }) => {
  const model = await loadModel(context.artifacts, ref);
  const chosen = outputs ?? USUAL[model.description.readOut.kind] ?? ['latent', 'reconstructed'];
  const { bytes, ...signature } = await exportModel(model, { outputs: chosen, exact });
  const blob = await context.artifacts.putBlob(bytes);
  const file = await context.artifacts.put({
    kind: 'files',
    parts: [{ key: 'model.onnx', ...blob }],
    meta: { format: 'onnx', application: model.description.application, ...signature },
  });
  if (uri !== undefined) await deliverFile(uri, (aside) => writeFile(aside, bytes));
  return { file, written: { ...blob, ...signature } };
};
