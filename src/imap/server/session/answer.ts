/**
 * How a command ends: the tagged answer, as a value or as an error.
 *
 * @module
 */
import { StoreError } from "../../../store/types.ts";

/** A tagged OK, with a response code without brackets. */
export interface Answer {
  code?: string;
  text?: string;
}

/** The command can't be carried out: tagged NO. */
export class ImapNo extends Error {
  readonly code: string | undefined;
  constructor(text: string, code?: string, options?: ErrorOptions) {
    super(text, options);
    this.name = "ImapNo";
    this.code = code;
  }
}

/** The text for users when the server's disk is full. */
export const diskFull = "the server's disk is full, try again later";

/** The command is wrong: tagged BAD. */
export class ImapBad extends Error {
  readonly code: string | undefined;
  constructor(text: string, code?: string) {
    super(text);
    this.name = "ImapBad";
    this.code = code;
  }
}

const codes: Record<StoreError["code"], string | undefined> = {
  mailboxExists: "ALREADYEXISTS",
  emailMissing: "NONEXISTENT",
  mailboxMissing: "NONEXISTENT",
  mailboxName: "CANNOT",
  mailboxHasChildren: "HASCHILDREN",
  inbox: "CANNOT",
  tooManyKeywords: "LIMIT",
  keyword: "CANNOT",
  overQuota: "OVERQUOTA",
  accountMissing: "NONEXISTENT",
  specialUse: "USEATTR",
  annotation: "METADATA TOOMANY",
  size: "TOOBIG",
  rights: "LIMIT",
  busy: "UNAVAILABLE",
  closed: "UNAVAILABLE",
};

/** The NO for a request that the store refused (RFC 5530). */
export function noForStore(err: StoreError): ImapNo {
  return new ImapNo(err.message, codes[err.code], { cause: err });
}
