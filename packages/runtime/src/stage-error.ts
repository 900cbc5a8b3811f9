import { isDiskFull } from '@hourglass/artifacts';
import type { ErrorCode, ErrorJson } from '@hourglass/core';
import { ERROR_CODES, HourglassError } from '@hourglass/core';

/**
 * What a stage threw, as an error that can leave its process. Ours keep their code, also those of another copy of the
 * class; failed allocations become OUT_OF_MEMORY, a full disk DISK_FULL; anything else is STAGE_FAILED and keeps its stack for the log.
 */
export function stageError(thrown: unknown, path: string): ErrorJson {
  if (isOurs(thrown)) return safe(HourglassError.prototype.toJSON.call(thrown));
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const memory = /allocation failed|out of memory|Invalid typed array length|bad_alloc/i.test(error.message);
  const code = memory ? 'OUT_OF_MEMORY' : isDiskFull(error) ? 'DISK_FULL' : 'STAGE_FAILED';
  const message = {
    OUT_OF_MEMORY: `could not allocate memory: ${error.message}. Reduce the batch or the data, or raise resources.memory.`,
    DISK_FULL: `found no room left to write: ${error.message}.`,
    STAGE_FAILED: `failed: ${error.message || error.name}`,
  }[code];
  const wrapped = new HourglassError(code, `Stage ${path} ${message}`, {
    details: { stack: error.stack },
    cause: error.cause,
  });
  return safe(wrapped.toJSON());
}

function isOurs(thrown: unknown): thrown is HourglassError {
  if (thrown instanceof HourglassError) return true;
  const { name, code } = (thrown ?? {}) as { name?: unknown; code?: unknown };
  return name === 'HourglassError' && typeof code === 'string' && code in ERROR_CODES;
}

/** Details may hold anything; only what JSON can carry leaves the process. */
function safe(json: ErrorJson): ErrorJson {
  try {
    return JSON.parse(JSON.stringify(json)) as ErrorJson;
  } catch {
    return { code: json.code, message: json.message };
  }
}

export function errorJson(code: ErrorCode, message: string, details?: Record<string, unknown>): ErrorJson {
  return new HourglassError(code, message, { details }).toJSON();
}
