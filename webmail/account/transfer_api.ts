/** Calls of the account page for import and export. @module */
import * as v from "valibot";
import { Count, Nothing, text } from "../api/basics.ts";

/** State of an import; also sent in its event stream. */
export const ImportState = v.object({
  token: v.string(),
  phase: v.picklist(["reading", "importing", "done", "failed", "aborted"]),
  files: Count,
  imported: Count,
  duplicates: Count,
  /** The finished fraction, 0 to 1. */
  part: v.nullable(v.number()),
  mailboxes: v.array(v.tuple([v.string(), Count])),
  warnings: v.array(v.string()),
  warningCount: Count,
  error: v.string(),
});
export type ImportState = v.InferOutput<typeof ImportState>;

/** The answer to an upload. */
export const ImportBegun = v.object({ token: v.string() });

/** Result of importing an archive of contacts and calendars. */
export const TakeawayDone = v.object({
  files: v.array(v.object({
    kind: v.picklist(["addressbook", "calendar"]),
    name: v.string(),
    imported: Count,
  })),
  /** The first items that were left out, and why. */
  left: v.array(v.string()),
  leftOut: Count,
});
export type TakenBack = v.InferOutput<typeof TakeawayDone>;

export const transferCalls = {
  /** The running import, and mailboxes to export. */
  Transfers: {
    request: Nothing,
    response: v.object({
      running: v.nullable(ImportState),
      mailboxes: v.array(v.object({ id: Count, name: v.string() })),
    }),
  },
  ImportAbort: { request: v.strictObject({ token: text(100) }), response: Nothing },
  /** From another IMAP server. The password is only kept in memory. */
  ImportImap: {
    request: v.strictObject({
      host: v.pipe(text(300), v.minLength(1)),
      port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535)),
      tls: v.boolean(),
      user: v.pipe(text(500), v.minLength(1)),
      password: text(5000),
      /** Whether the password is an OAuth2 token. */
      token: v.boolean(),
      mailbox: text(500),
    }),
    response: ImportBegun,
  },
};
