/** Errors of getting certificates. @module */

/** A certificate could not be had. */
export class AcmeError extends Error {
  override name = "AcmeError";
  /** Milliseconds that the authority asks to wait before the next try; 0 if it says nothing. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 0, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** Any failure as one of getting a certificate. */
export function explain(err: unknown): AcmeError {
  if (err instanceof AcmeError) return err;
  return new AcmeError(err instanceof Error ? err.message : String(err), 0, { cause: err });
}
