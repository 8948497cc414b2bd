/** @module */

/** A record, domain-spec or explanation that doesn't follow the syntax of RFC 7208 §12. */
export class SpfSyntaxError extends Error {
  constructor(message: string) {
    super(message.length > 300 ? `${message.slice(0, 300)}…` : message);
    this.name = "SpfSyntaxError";
  }
}
