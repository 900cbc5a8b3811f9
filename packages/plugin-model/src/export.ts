import { writeFile } from 'node:fs/promises';
import { deliverFile } from '@hourglass/artifacts';
import {
  exportImageModel,
  exportModel,
  loadHead,
  loadImageModel,
  loadModel,
  type ExportedModel,
  type ModelOutput,
  type ReadOut,
} from '@hourglass/autoencoder';
import { modelReads } from '@hourglass/autoencoder/read-out';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { exportStage } from './export-manifest.ts';

/** What a model is asked for when nobody says. */
const USUAL: Partial<Record<ReadOut['kind'], ModelOutput[]>> = {
  fill: ['latent', 'filled'],
  encode: ['latent'],
  match: ['latent'],
  score: ['latent', 'error'],
};

export const run: StageRun<typeof exportStage> = async (context, { model: ref }, { uri, outputs, exact }) => {
  const { application, bytes, ...signature } = await fileOf(context, ref, outputs, exact);
  const blob = await context.artifacts.putBlob(bytes);
  const file = await context.artifacts.put({
    kind: 'files',
    parts: [{ key: 'model.onnx', ...blob }],
    meta: { format: 'onnx', application, ...signature },
  });
  if (uri !== undefined) await deliverFile(uri, (aside) => writeFile(aside, bytes));
  return { file, written: { ...blob, ...signature } };
};

async function fileOf(
  { artifacts }: StageContext,
  ref: ArtifactRef,
  outputs: ModelOutput[] | undefined,
  exact: boolean,
): Promise<ExportedModel & { application: string }> {
  if ((await modelReads(artifacts, ref)) === 'table') {
    const model = await loadModel(artifacts, ref);
    const { application, readOut } = model.description;
    const head = await loadHead(artifacts, ref);
    if (!head && outputs?.includes('prediction'))
      throw new HourglassError(
        'OPTION_INVALID',
        'model/export: outputs: prediction is for models with a head, as feature-extraction/fit-classifier and fit-regressor make them; this one has none',
        { details: { option: 'outputs' } },
      );
    const chosen = outputs ?? (head ? ['prediction'] : (USUAL[readOut.kind] ?? ['latent', 'reconstructed']));
    return { application, ...(await exportModel(model, { outputs: chosen, exact, head })) };
  }
  if (outputs !== undefined || exact)
    throw new HourglassError(
      'OPTION_INVALID',
      `model/export: ${outputs !== undefined ? 'outputs' : 'exact'} is for models over tables; one over pictures gives its answer for every pixel. Leave it out.`,
    );
  const model = await loadImageModel(artifacts, ref);
  return { application: model.description.application, ...(await exportImageModel(model)) };
}
