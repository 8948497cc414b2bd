/**
 * Why a message was not taken as a report.
 *
 * @module
 */

/** What is wrong with a report. */
export type ReportErrorCode =
  /** No attachment that could be a report. */
  | "absent"
  /** Compressed data that can't be unpacked. */
  | "compression"
  /** Larger, deeper or with more parts than is read. */
  | "limit"
  /** Not well-formed XML or JSON. */
  | "syntax"
  /** Well-formed, but not a report, or without what a report must have. */
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
