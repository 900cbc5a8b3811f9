import type { ErrorCode } from '@hourglass/core';

/** What the process ends with. */
export const EXIT = {
  ok: 0,
  /** A stage failed, or something outside the pipeline did (disk, store). */
  failed: 1,
  /** The pipeline or the call is wrong: nothing ran. */
  wrong: 2,
  /** A gate, or a person, said no. */
  refused: 3,
  interrupted: 130,
} as const;

const WRONG = new Set<ErrorCode>([
  'PIPELINE_INVALID',
  'PARAM_INVALID',
  'CALL_INVALID',
  'STAGE_NOT_FOUND',
  'PLUGIN_INVALID',
  'ENGINE_UNAVAILABLE',
  'NAME_NOT_FOUND',
  'RUN_NOT_FOUND',
  'RUN_STATE',
]);

/** Exit code for an error that ends a command before or outside of a run. */
export function exitCodeOf(code: ErrorCode): number {
  if (code === 'GATE_FAILED') return EXIT.refused;
  if (code === 'CANCELLED') return EXIT.interrupted;
  return WRONG.has(code) ? EXIT.wrong : EXIT.failed;
}
