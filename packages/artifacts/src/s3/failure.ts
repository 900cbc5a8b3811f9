import { errnoOf } from '../storage-error.ts';

/** Why object storage did not do what it was asked. */
export class S3Failure extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The service's or the system's own word for it: `NoSuchBucket`, `ECONNREFUSED`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.reason = reason;
  }

  /** Whether asking again may help. */
  get transient(): boolean {
    return this.status === 0 || TRANSIENT_STATUS.has(this.status) || TRANSIENT_REASON.has(this.reason);
  }
}

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);
/** 409 is what Amazon answers when two conditional writes meet. */
const TRANSIENT_REASON = new Set(['ConditionalRequestConflict', 'OperationAborted', 'RequestTimeout', 'SlowDown']);

export function answerFailure(status: number, bytes: Uint8Array): S3Failure {
  const body = new TextDecoder().decode(bytes.subarray(0, 4000));
  const reason = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? `HTTP ${status}`;
  const message = /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? '';
  return new S3Failure(status, reason, message || reason);
}

export function connectionFailure(error: unknown): S3Failure {
  // Trying several addresses of one host gives an error of errors without a message.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const message = first instanceof Error ? first.message : String(first);
  return new S3Failure(0, errnoOf(first) ?? 'no answer', message, { cause: error });
}

/** What a person can do about a failure, with what was found. */
export function explainFailure(failure: S3Failure, endpoint: string, bucket: string): string {
  const { status, reason, message } = failure;
  if (status === 0)
    return `no answer from ${endpoint} (${message}). Check AWS_ENDPOINT_URL_S3 and that the service runs.`;
  switch (reason) {
    case 'NoSuchBucket':
      return `there is no bucket "${bucket}" at ${endpoint}. Create it, or correct the name.`;
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound':
      return `${endpoint} does not know this AWS_ACCESS_KEY_ID. Correct it.`;
    case 'SignatureDoesNotMatch':
      return `${endpoint} refuses the signature. Correct AWS_SECRET_ACCESS_KEY.`;
    case 'ExpiredToken':
      return `the credentials have expired. Renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.`;
    case 'RequestTimeTooSkewed':
      return `the clock of this machine differs too much from the one of ${endpoint}. Set the clock.`;
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return `the bucket "${bucket}" lies in another region (${message}). Set AWS_REGION.`;
  }
  if (status === 403)
    return `${endpoint} does not permit it (${reason}). Grant these credentials access to the bucket "${bucket}".`;
  if (failure.transient) return `${endpoint} failed each time it was asked (${status} ${reason}). Try again later.`;
  return `${endpoint} answered ${status} ${reason}${message && message !== reason ? `: ${message}` : ''}.`;
}
