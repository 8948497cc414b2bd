/** Why a packed message can't be unpacked. @module */

/** The bytes are damaged, or exceed the size of a message. */
export class UnpackError extends Error {
  readonly reason: "damaged" | "large";

  constructor(reason: "damaged" | "large") {
    super(reason === "large" ? "is too large" : "is damaged");
    this.name = "UnpackError";
    this.reason = reason;
  }
}
