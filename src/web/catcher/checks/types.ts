/** What checks of a caught message find. @module */

/** One finding. */
export interface Finding {
  /** What it is about. */
  Area: "size" | "header" | "accessibility" | "spam" | "authentication";
  /** "warning": receivers or readers will mind; "note": good to know; "ok": looked at, and fine. */
  Level: "warning" | "note" | "ok";
  Text: string;
  /** What it counts as a sign of junk; left out if it is none. */
  Points?: number;
  /** Name of the sign, if it counts. */
  Rule?: string;
}

/** The message, as checks see it. */
export interface Checked {
  /** Bytes as it was sent. */
  size: number;
  text: string;
  html: string;
  /** Fields by their names in lower case, in their order. */
  fields: readonly { name: string; value: string }[];
  subject: string;
  /** Address in From; "" if none. */
  from: string;
}
