/**
 * Inputs and results of running a script.
 *
 * @module
 */
import type { SieveProblem } from "../language/problems.ts";
import type { MessagePiece } from "../message/mail.ts";

/** A mailbox by name, special use or id. */
export interface MailboxFacts {
  name: string;
  /** Such as "\\Junk", each with its backslash. */
  specialUses: readonly string[];
  id: string;
}

/** The mail store for scripts. Names have "/" between their levels. */
export interface SieveMailboxes {
  /** The mailbox of a name, if the user may deliver into it. */
  byName(name: string): MailboxFacts | undefined;
  byId(id: string): MailboxFacts | undefined;
  bySpecialUse(use: string): MailboxFacts | undefined;
  /** Value of an annotation (RFC 5464) of a mailbox, or of the server for ""; undefined for none. */
  annotation(mailbox: string, name: string): string | undefined;
}

/** Envelope of the message (RFC 5321), with the parameters of RFC 3461 and 2852. */
export interface SieveEnvelope {
  /** Without <>; "" for the null reverse path. */
  from: string | undefined;
  to: string | undefined;
  /** Name of the sender that logged in. */
  auth?: string;
  ret?: "full" | "hdrs";
  envelopeId?: string;
  notify?: readonly string[];
  /** Such as "rfc822;user@example.org". */
  originalRecipient?: string;
}

/** What happened to a message in IMAP (RFC 6785). */
export interface ImapEvent {
  user: string;
  email: string;
  cause: "APPEND" | "COPY" | "FLAG";
  mailbox: string;
  changedFlags: readonly string[];
}

/** Limits of an execution. */
export interface Limits {
  /** Commands, tests and characters compared, in units of about a microsecond. */
  steps: number;
  /** Depth of nested includes. */
  includeDepth: number;
  /** Total number of included scripts. */
  includes: number;
  redirects: number;
  actions: number;
  notifications: number;
  /** Characters of a variable; more is cut off (RFC 5229 §6). */
  variableLength: number;
  variables: number;
  /** Most bytes of a rewritten message, and of part texts that are read. */
  rewritten: number;
  partText: number;
}

export const defaultLimits: Limits = {
  steps: 500_000,
  includeDepth: 10,
  includes: 255,
  redirects: 32,
  actions: 64,
  notifications: 10,
  variableLength: 65_536,
  variables: 1000,
  rewritten: 16 * 1024 * 1024,
  partText: 2 * 1024 * 1024,
};

/** The message at the time of an action: undefined if unchanged. */
export type Edited = readonly MessagePiece[] | undefined;

/** Where a message, or a copy of a sent one (RFC 8580), is filed. */
export interface Filing {
  mailbox: string;
  flags: readonly string[] | undefined;
  /** Create the mailbox if it is missing (RFC 5490). */
  create: boolean;
  specialUse: string | undefined;
  mailboxId: string | undefined;
}

export interface Vacation {
  days: number;
  /** The same in seconds, as given by either. */
  seconds: number;
  subject: string | undefined;
  from: string | undefined;
  addresses: readonly string[];
  mime: boolean;
  /** Distinguishes this reply from others (RFC 5230 §4.2). */
  handle: string;
  reason: string;
  fcc: Filing | undefined;
}

export interface Notification {
  method: string;
  from: string | undefined;
  importance: 1 | 2 | 3;
  options: readonly string[];
  message: string | undefined;
  fcc: Filing | undefined;
}

export interface Redirect {
  address: string;
  /** RFC 6009; such as ["SUCCESS", "FAILURE"]. */
  notify: readonly string[] | undefined;
  ret: "FULL" | "HDRS" | undefined;
  /** RFC 6009 §4: "by" time of RFC 2852, in seconds from now. */
  deliverBy: { seconds: number; mode: "notify" | "return"; trace: boolean } | undefined;
}

/** An action of a script; `line` is its command's line, 0 for the implicit keep. */
export type Action =
  & { line: number; script: string }
  & (
    | { kind: "keep"; flags: readonly string[] | undefined; edited: Edited; implicit: boolean }
    | { kind: "fileinto"; filing: Filing; edited: Edited }
    | { kind: "redirect"; redirect: Redirect; edited: Edited }
    | { kind: "redirectToList"; list: string; redirect: Redirect; edited: Edited }
    | { kind: "discard" }
    | { kind: "reject"; reason: string; extended: boolean }
    | { kind: "vacation"; vacation: Vacation }
    | { kind: "notify"; notification: Notification }
  );

/** A value of a duplicate test to remember once the message is delivered. */
export interface Remembered {
  key: string;
  /** How long, in seconds. */
  seconds: number;
}

export interface SieveResult {
  actions: Action[];
  /** The implicit keep was not cancelled: it is among the actions then. */
  implicitKeep: boolean;
  remembered: Remembered[];
  /** The runtime error, if any: the only action is a keep then. */
  error: (SieveProblem & { script: string }) | undefined;
  /** Things that were left out, for people. */
  warnings: (SieveProblem & { script: string })[];
  /** Steps spent, of {@link Limits.steps}. */
  steps: number;
}

/**
 * RFC 5228 §2.10.6: the result when scripts can't be run, or fail: the message is kept unchanged, and nothing
 * else is done.
 */
export function keptAfter(
  error: SieveProblem & { script: string },
  so: { flags?: string[]; warnings?: SieveResult["warnings"]; steps?: number } = {},
): SieveResult {
  return {
    actions: [{
      kind: "keep",
      line: 0,
      script: "",
      flags: so.flags,
      edited: undefined,
      implicit: true,
    }],
    implicitKeep: true,
    remembered: [],
    error,
    warnings: so.warnings ?? [],
    steps: so.steps ?? 0,
  };
}
