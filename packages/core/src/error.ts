/** What a code means, whether trying again can help, and what a person does about it. docs/errors.md shows this table. */
export interface ErrorCodeEntry {
  meaning: string;
  retryable: boolean;
  remedy: string;
}

const entry = (meaning: string, retryable: boolean, remedy: string): ErrorCodeEntry => ({ meaning, retryable, remedy });

/** Every code Hourglass raises. Closed: an error of ours has one of these codes. */
export const ERROR_CODES = {
  PIPELINE_INVALID: entry('The pipeline file has mistakes.', false, 'Mend the lines the message lists.'),
  PARAM_INVALID: entry('A param is unknown, missing or out of range.', false, 'Pass a value the param declares.'),
  CALL_INVALID: entry('The command or function was called wrongly.', false, 'See --help for the call.'),
  PLUGIN_INVALID: entry('A plugin package cannot be used.', false, 'Fix or remove the plugin the message names.'),
  STAGE_NOT_FOUND: entry('No installed plugin has this stage.', false, 'Install the plugin or correct the name.'),
  OPTION_INVALID: entry('An option of a stage is unknown or out of range.', false, 'Correct the option named.'),
  INPUT_INVALID: entry(
    'An input of a stage is missing or of the wrong kind.',
    false,
    'Connect an artifact of that kind.',
  ),
  SOURCE_NOT_FOUND: entry('A file or folder to read does not exist.', false, 'Correct the path.'),
  SOURCE_INVALID: entry('A file cannot be read as its format.', false, 'Check or regenerate the file.'),
  SOURCE_EMPTY: entry('A source holds no rows.', false, 'Provide data, or relax the filter.'),
  COLUMN_NOT_FOUND: entry('A column named does not exist.', false, 'Use one of the columns listed.'),
  COLUMN_INVALID: entry(
    'A column has a type or values that cannot be used here.',
    false,
    'Exclude or convert the column.',
  ),
  CONTRACT_VIOLATED: entry('The data break their contract.', false, 'Correct the rows shown, or the contract.'),
  SCHEMA_MISMATCH: entry('A table differs from the one expected.', false, 'Provide the columns the message names.'),
  DATA_INSUFFICIENT: entry('There are too few rows or columns for this.', false, 'Provide more data or ask for less.'),
  MODEL_INCOMPATIBLE: entry(
    'A model cannot be applied here.',
    false,
    'Use a model of the right application and version.',
  ),
  ENGINE_UNAVAILABLE: entry(
    'The tensor engine asked for is not here.',
    false,
    'Run `hourglass doctor` for the remedy.',
  ),
  ENGINE_FAILED: entry('The tensor engine reported a failure.', true, 'Try again, or choose another engine.'),
  STEP_UNTRACEABLE: entry('A training step cannot be compiled.', false, 'Change the line named in the message.'),
  TRAINING_DIVERGED: entry('The loss became NaN or infinite.', false, 'Lower the learning rate or check the data.'),
  OUT_OF_MEMORY: entry('A stage outgrew its memory.', true, 'Raise resources.memory or reduce the batch.'),
  STAGE_CRASHED: entry('A stage process died.', true, 'Run again: finished work is kept.'),
  STAGE_TIMEOUT: entry(
    'A stage took longer than its timeout.',
    true,
    'Raise timeout.attempt or make the work smaller.',
  ),
  STAGE_HUNG: entry('A stage showed no progress within its heartbeat timeout.', true, 'Raise timeout.heartbeat.'),
  STAGE_FAILED: entry(
    'A stage failed with an error that is not ours.',
    true,
    'Read the cause; report it if it is a defect.',
  ),
  OUTPUT_INVALID: entry('A stage returned something its manifest does not declare.', false, 'Fix the plugin.'),
  RESULT_TOO_LARGE: entry('A stage result is too large to pass on.', false, 'Return an artifact instead of values.'),
  CANCELLED: entry('The work was cancelled.', false, 'Run again to continue.'),
  GATE_FAILED: entry('A gate said no.', false, 'Improve the result or change the gate.'),
  APPROVAL_REQUIRED: entry('A stage waits for a person.', false, 'Run `hourglass approve RUN STAGE`.'),
  APPROVAL_REJECTED: entry(
    'A person said no, or the time to say yes ran out.',
    false,
    'Improve the result, or run again and approve it.',
  ),
  ARTIFACT_NOT_FOUND: entry('An artifact is not in the store.', false, 'Run the pipeline that makes it.'),
  ARTIFACT_CORRUPT: entry('Bytes in the store do not match their digest.', true, 'Run again: it is computed anew.'),
  STORE_UNWRITABLE: entry('The artifact store cannot be written.', false, 'Check permissions or use --store.'),
  STORE_UNREADABLE: entry('The artifact store cannot be read.', false, 'Check the folder, its disk and permissions.'),
  STORE_UNREACHABLE: entry(
    'Object storage does not answer for the moment.',
    true,
    'Check the service, then run again.',
  ),
  DISK_FULL: entry('There is no room left to write.', false, 'Free disk space, or `hourglass artifacts gc`.'),
  SINK_UNWRITABLE: entry('A destination cannot be written.', false, 'Check the path and its permissions.'),
  NAME_NOT_FOUND: entry('A published name or version does not exist.', false, 'Use a name `hourglass names ls` shows.'),
  NAME_CONFLICT: entry('Another run published this name first.', true, 'Run again to publish on top.'),
  RUN_NOT_FOUND: entry('No run has this id.', false, 'Use an id `hourglass runs` shows.'),
  RUN_STATE: entry('A run is not in a state that allows this.', false, 'See `hourglass runs show ID`.'),
  INTERNAL: entry('A defect in Hourglass.', false, 'Report it with the message.'),
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** JSON-safe form of an error, for processes, histories and `--json`. */
export interface ErrorJson {
  code: ErrorCode;
  message: string;
  /** What to do about it, where that is not what the code says. */
  remedy?: string;
  details?: Record<string, unknown>;
  /** Message chain of the causes, outermost first; stack of a foreign cause for logs only. */
  causes?: string[];
}

/** What to do about an error; nothing for a code that only a later version knows. */
export const remedyOf = ({ code, remedy }: Pick<ErrorJson, 'code' | 'remedy'>): string =>
  remedy ?? (ERROR_CODES[code] as ErrorCodeEntry | undefined)?.remedy ?? '';

/**
 * The one error class. The message says where, what was expected, what was found and what to do.
 */
export class HourglassError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  /** What to do about it. @default what `ERROR_CODES` says */
  readonly remedy?: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HourglassError';
    this.code = code;
    this.details = options.details ?? {};
    if (options.remedy !== undefined) this.remedy = options.remedy;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  toJSON(): ErrorJson {
    const causes: string[] = [];
    for (let cause = this.cause; cause !== undefined && causes.length < 5; cause = (cause as Error).cause)
      causes.push(cause instanceof Error ? cause.message : String(cause));
    const { code, message, remedy, details } = this;
    return {
      code,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      details,
      ...(causes.length ? { causes } : {}),
    };
  }

  static fromJSON(json: ErrorJson): HourglassError {
    const cause = json.causes?.length ? new Error(json.causes.join(': ')) : undefined;
    return new HourglassError(json.code, json.message, { details: json.details, remedy: json.remedy, cause });
  }

  /** Any thrown value as ours: foreign errors become `fallback`, keeping the original as cause. */
  static from(error: unknown, fallback: ErrorCode = 'STAGE_FAILED'): HourglassError {
    if (error instanceof HourglassError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new HourglassError(fallback, message, { cause: error });
  }
}
