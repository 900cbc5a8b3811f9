import { MODEL_OUTPUTS } from '@hourglass/autoencoder/options';
import { artifact, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';

const column = z.object({ name: z.string(), type: z.string().describe('ONNX element type') });

/** A model as a file that any ONNX runtime serves. */
export const exportStage = defineStage({
  id: 'model/export',
  version: 1,
  summary: 'Write a model as ONNX: raw columns in, latents and answers out; or pictures of any size in and out',
  inputs: { model: artifact.model() },
  outputs: {
    file: artifact.files('model.onnx, column encoders inside'),
    written: artifact.metrics(
      z.object({
        bytes: z.int(),
        digest: z.string(),
        inputs: z.array(
          column.extend({
            width: z.int().describe('1; of a vector its length; of a picture its channels'),
            missing: z.string().nullable().describe('What stands for a missing cell'),
          }),
        ),
        outputs: z.array(column.extend({ width: z.int() })),
      }),
      'What the file takes and gives',
    ),
  },
  options: z.object({
    uri: z
      .string()
      .regex(/\.onnx$/i, 'must end in .onnx')
      .optional()
      .describe('File to write besides the artifact; a relative path goes under --out'),
    outputs: z
      .array(z.enum(MODEL_OUTPUTS))
      .min(1)
      .optional()
      .describe(
        'Tables: latent [rows, d], NAME.reconstructed, NAME.filled (observed cells as they are), error [rows, 1] (how far what the latent holds is from the row), prediction (of a classifier or regressor: probabilities [rows, classes], or prediction [rows, 1]). Default: latent and what the model is for.',
      ),
    exact: z
      .boolean()
      .default(false)
      .describe('Keep fractions in columns of whole numbers (as double) and values outside the observed range.'),
  }),
  sinks: ['uri'],
});
