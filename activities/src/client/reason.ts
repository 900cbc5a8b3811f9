/** What the server says of its refusal: the SDK says only what it was about to do, its cause holds the words of gRPC. */
export function reasonOf(error: unknown): string {
  const { cause, details, message } = error as { cause?: { details?: string }; details?: string; message: string };
  return details ?? cause?.details ?? message;
}
