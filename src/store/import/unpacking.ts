/** What stops a packed message from being unpacked. @module */

/** The bytes are damaged, or there are more of them than a message may have. */
export class UnpackError extends Error {
  readonly reason: "damaged" | "large";

  constructor(reason: "damaged" | "large") {
    super(reason === "large" ? "is too large" : "is damaged");
    this.name = "UnpackError";
    this.reason = reason;
  }
}
