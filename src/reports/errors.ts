/**
 * Why a message was not accepted as a report.
 *
 * @module
 */

/** Kinds of errors in reports. */
export type ReportErrorCode =
  /** No attachment that could be a report. */
  | "absent"
  /** Compressed data that can't be decompressed. */
  | "compression"
  /** Larger, deeper or with more parts than allowed. */
  | "limit"
  /** Not well-formed XML or JSON. */
  | "syntax"
  /** Well-formed, but not a report, or without required fields. */
  | "content";

/** A report that can't be read; the text says what was expected. */
export class ReportError extends Error {
  override name = "ReportError";
  readonly code: ReportErrorCode;
  constructor(code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
