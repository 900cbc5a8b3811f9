import type { ArtifactStore } from '@hourglass/artifacts';
import { type ArtifactRef, HourglassError, type StageManifest, type StageResult } from '@hourglass/core';

/** What a task's result may weigh as JSON: results travel through states, histories and messages. */
const LARGEST_RESULT = 256 * 1024;

/**
 * Checks what a stage returned against its manifest; metrics are stored, refs must name artifacts of the declared kind.
 * @throws OUTPUT_INVALID, RESULT_TOO_LARGE
 */
export async function checkOutputs(
  path: string,
  manifest: StageManifest,
  returned: unknown,
  artifacts: ArtifactStore,
): Promise<StageResult> {
  const fail = (message: string, cause?: unknown): never => {
    throw new HourglassError('OUTPUT_INVALID', `Stage ${path} (${manifest.id}): ${message}`, {
      details: { stage: manifest.id },
      cause,
    });
  };
  const declared = Object.keys(manifest.outputs);
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned))
    return fail(`expected an object with ${declared.join(', ') || 'no outputs'}, found ${kindOf(returned)}.`);
  const values = returned as Record<string, unknown>;
  const extra = Object.keys(values).find((name) => !declared.includes(name));
  if (extra !== undefined)
    return fail(
      `it returned "${extra}", which its manifest does not declare; outputs are ${declared.join(', ') || 'none'}.`,
    );

  const result: StageResult = { outputs: {}, metrics: {} };
  for (const [name, type] of Object.entries(manifest.outputs)) {
    const value = values[name];
    if (value === undefined && type.optional) continue;
    if (type.kind === 'metrics') {
      const parsed = type.schema?.safeParse(value);
      if (parsed !== undefined && !parsed.success) {
        const lines = parsed.error.issues.map(
          (issue) => `${[name, ...issue.path].map(String).join('.')}: ${issue.message}`,
        );
        return fail(`metrics differ from their schema: ${lines.join('; ')}.`);
      }
      const metrics = parsed === undefined ? value : parsed.data;
      result.metrics[name] = metrics;
      result.outputs[name] = await artifacts
        .put({ kind: 'metrics', parts: [], meta: { value: metrics } })
        .catch((error: unknown) =>
          error instanceof HourglassError && error.code !== 'INTERNAL'
            ? Promise.reject(error)
            : fail(`metrics "${name}" cannot be written as JSON: ${String(error)}.`, error),
        );
      continue;
    }
    const ref = value as ArtifactRef | undefined;
    if (typeof ref?.digest !== 'string')
      return fail(`output "${name}": expected a ref of kind ${type.kind}, found ${kindOf(value)}.`);
    if (ref.kind !== type.kind) return fail(`output "${name}": expected kind ${type.kind}, found ${ref.kind}.`);
    if (type.application !== undefined && ref.application !== type.application)
      return fail(
        `output "${name}": expected a model of ${type.application}, found one of ${ref.application ?? 'unknown'}.`,
      );
    await artifacts
      .get(ref, type.kind)
      .catch((error: unknown) => fail(`output "${name}" names no artifact of the store.`, error));
    result.outputs[name] = ref;
  }
  const size = JSON.stringify(result).length;
  if (size > LARGEST_RESULT)
    throw new HourglassError(
      'RESULT_TOO_LARGE',
      `Stage ${path} (${manifest.id}): its refs and metrics are ${size} bytes of JSON, more than ${LARGEST_RESULT}. Write large values into an artifact and return its ref.`,
      { details: { stage: manifest.id, bytes: size } },
    );
  return result;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
