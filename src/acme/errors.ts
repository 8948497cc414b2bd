/** Errors when obtaining certificates. @module */

/** A certificate could not be obtained. */
export class AcmeError extends Error {
  override name = "AcmeError";
  /** Milliseconds that the authority asks to wait before the next try; 0 if it gives none. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 0, options?: ErrorOptions) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** Turns any failure into one of obtaining a certificate. */
export function explain(err: unknown): AcmeError {
  if (err instanceof AcmeError) return err;
  return new AcmeError(err instanceof Error ? err.message : String(err), 0, { cause: err });
}
