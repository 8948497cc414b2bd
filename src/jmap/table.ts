/** All methods of JMAP that there are. @module */
import type { Method } from "./core/method.ts";
import { blobCopy } from "./methods/blob/copy.ts";
import { coreEcho } from "./methods/core/echo.ts";
import { emailChangesMethod } from "./methods/email/changes.ts";
import { emailCopy } from "./methods/email/copy.ts";
import { emailGet } from "./methods/email/get.ts";
import { emailImport } from "./methods/email/import.ts";
import { emailParse } from "./methods/email/parse.ts";
import { emailQuery } from "./methods/email/query.ts";
import { emailQueryChanges } from "./methods/email/query_changes.ts";
import { emailSet } from "./methods/email/set.ts";
import { mailboxChangesMethod } from "./methods/mailbox/changes.ts";
import { mailboxGet } from "./methods/mailbox/get.ts";
import { mailboxQuery } from "./methods/mailbox/query.ts";
import { mailboxQueryChanges } from "./methods/mailbox/query_changes.ts";
import { mailboxSet } from "./methods/mailbox/set.ts";
import { searchSnippetGet } from "./methods/search_snippet/get.ts";
import { threadChanges } from "./methods/thread/changes.ts";
import { threadGet } from "./methods/thread/get.ts";

export const methods: readonly Method[] = [
  coreEcho,
  blobCopy,
  mailboxGet,
  mailboxChangesMethod,
  mailboxQuery,
  mailboxQueryChanges,
  mailboxSet,
  threadGet,
  threadChanges,
  emailGet,
  emailChangesMethod,
  emailQuery,
  emailQueryChanges,
  emailSet,
  emailCopy,
  emailImport,
  emailParse,
  searchSnippetGet,
];

/** By name. */
export const methodTable: ReadonlyMap<string, Method> = new Map(methods.map((m) => [m.name, m]));
