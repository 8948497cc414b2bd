/** What checks of a caught message find. @module */

/** One finding. */
export interface Finding {
  /** Its subject. */
  Area: "size" | "header" | "accessibility" | "spam" | "authentication";
  /** "warning": a problem for receivers or readers; "note": good to know; "ok": checked and fine. */
  Level: "warning" | "note" | "ok";
  Text: string;
  /** Its points as a sign of junk; left out if it isn't one. */
  Points?: number;
  /** Name of the sign, if it counts. */
  Rule?: string;
}

/** The message in the form for checks. */
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
