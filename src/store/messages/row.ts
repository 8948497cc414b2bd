/**
 * A message as read by a pass over a mailbox.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import { noSummary, parseSummary, type Summary } from "./summary.ts";

const noBytes = new Uint8Array(0);

/**
 * A row as FETCH, search and webmail read it. The object is reused between rows: copy what you keep. * A class,
 * not a shape: a copy made by spreading it would lack the summary, and is not a FetchRow to the compiler.
 */
export class FetchRow {
  id = 0;
  emailId = 0 as EmailId;
  uid = 0;
  modseq = 0;
  flags = 0;
  /** Lower case, separated by one space, "" if none. */
  keywords = "";
  received = 0;
  saved = 0;
  size = 0;
  threadId = 0;
  /** Each is read with its bit of Want. */
  envelope = "";
  body = "";
  bodyStructure = "";
  /**
   * Lines of the header fields that lists show (mail/header/filter.ts); null where the message must be read.
   */
  listed: string | null = null;
  /** The prefix before the file's bytes, and the packed structure. */
  prefix: Uint8Array = noBytes;
  structure = "";
  /** With Want.Summary: as stored, and parsed on demand. */
  summaryText = "";
  #parsedText = "";
  #parsed = noSummary;

  get summary(): Summary {
    if (this.#parsedText !== this.summaryText) {
      this.#parsed = parseSummary(this.summaryText);
      this.#parsedText = this.summaryText;
    }
    return this.#parsed;
  }

  /** A copy that stays valid while the pass goes on. */
  kept(): FetchRow {
    return Object.assign(new FetchRow(), this, { prefix: this.prefix.slice() });
  }
}
