/**
 * The calls of the account page: schemas shared by server and page. Imports valibot and the webmail's
 * basic schemas; src/web/account and the page import it.
 *
 * @module
 */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "../api/basics.ts";
import { passkeyCalls } from "../api/passkeys.ts";
import { delegationCalls } from "./delegation_api.ts";
import { encryptionCalls } from "./encryption_api.ts";
import { onwardCalls } from "./onward_api.ts";
import { confirmation, securityCalls } from "./security_api.ts";
import { transferCalls } from "./transfer_api.ts";
import { webhookCalls } from "./webhook_api.ts";

/** A rule that sorts incoming messages; the first that matches applies. */
export const Ruleset = v.strictObject({
  SMTPMailFromRegexp: text(1000),
  MsgFromRegexp: text(1000),
  VerifiedDomain: text(300),
  HeadersRegexp: v.pipe(
    v.array(v.strictObject({ name: text(1000), value: text(1000) })),
    v.maxLength(50),
  ),
  IsForward: v.boolean(),
  ListAllowDomain: text(300),
  AcceptRejectsToMailbox: text(1000),
  Mailbox: v.pipe(text(1000), v.minLength(1)),
  Comment: text(1000),
});
export type Ruleset = v.InferOutput<typeof Ruleset>;

/** An address and what happens to its mail. */
export const Destination = v.strictObject({
  address: text(1000),
  Mailbox: text(1000),
  FullName: text(500),
  Rulesets: v.pipe(v.array(Ruleset), v.maxLength(500)),
});
export type Destination = v.InferOutput<typeof Destination>;

export const JunkSettings = v.strictObject({
  /** Null: no filter. */
  threshold: v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  automaticFlags: v.boolean(),
  junkMailboxRegexp: text(1000),
  neutralMailboxRegexp: text(1000),
  notJunkMailboxRegexp: text(1000),
  rejectsMailbox: text(1000),
  keepRejects: v.boolean(),
});
export type JunkSettings = v.InferOutput<typeof JunkSettings>;

export const Overview = v.object({
  account: v.string(),
  loginAddress: v.string(),
  /** Path of the webmail; null if it isn't served here. */
  webmail: v.nullable(v.string()),
  keepWrittenTo: v.boolean(),
  fullName: v.string(),
  destinations: v.array(Destination),
  mailboxes: v.array(v.string()),
  /** In bytes. */
  usage: Count,
  /** In bytes; null for none. */
  quota: v.nullable(Count),
  /** Whether the user gets a message when the account fills up; null if the server sends none. */
  quotaWarnings: v.nullable(v.boolean()),
  /** Days after which messages are deleted automatically, by mailbox. */
  retention: v.array(v.object({ mailbox: v.string(), days: Count })),
  maxOutgoingPerDay: Count,
  maxFirstTimeRecipientsPerDay: Count,
  junk: JunkSettings,
  /** Messages that the junk filter has learned from, and those waiting for it; null without a filter. */
  trained: v.nullable(v.object({ hams: Count, spams: Count, waiting: Count })),
  /** Whether the account has a second factor. */
  secondFactor: v.boolean(),
  /** Whether only the server makes passwords. */
  noCustomPassword: v.boolean(),
  sessions: v.array(v.object({
    id: Id,
    service: v.string(),
    lastUsed: Time,
    userAgent: v.string(),
    remoteIp: v.string(),
    current: v.boolean(),
  })),
  suppressions: v.array(v.object({
    address: v.string(),
    reason: v.string(),
    manual: v.boolean(),
    created: Time,
  })),
  clients: v.array(v.object({
    protocol: v.string(),
    host: v.string(),
    port: v.number(),
    security: v.string(),
  })),
});
export type Overview = v.InferOutput<typeof Overview>;

export const accountCalls = {
  ...webhookCalls,
  ...onwardCalls,
  ...delegationCalls,
  ...encryptionCalls,
  ...securityCalls,
  ...transferCalls,
  ...passkeyCalls,
  Login: {
    request: v.strictObject({
      username: text(500),
      password: text(1000),
      totp: v.optional(text(20)),
    }),
    response: v.object({ account: v.string() }),
  },
  /** Null if nobody is logged in. */
  Session: { request: Nothing, response: v.object({ account: v.nullable(v.string()) }) },
  Logout: { request: Nothing, response: Nothing },
  Overview: { request: Nothing, response: Overview },
  /** Whether the user gets a message at 80, 95 and 100 % of the quota. */
  QuotaWarningsSet: { request: v.strictObject({ on: v.boolean() }), response: Nothing },
  /** Whether recipients of sent messages are added to an address book. */
  WrittenToSet: { request: v.strictObject({ on: v.boolean() }), response: Nothing },
  FullNameSet: { request: v.strictObject({ fullName: text(500) }), response: Nothing },
  /** Sets a password, and ends all other sessions. If it is empty, one is generated and returned. */
  PasswordSet: {
    request: v.strictObject({ ...confirmation, password: text(1000) }),
    response: v.object({ password: v.nullable(v.string()) }),
  },
  DestinationSet: { request: v.strictObject({ destination: Destination }), response: Nothing },
  /** Which ruleset of an address would apply to a message; -1 for none. The message is raw text. */
  RulesetTry: {
    request: v.strictObject({ destination: Destination, message: text(1_000_000) }),
    response: v.object({ index: v.number(), mailbox: v.string() }),
  },
  /** The junk filter's results by day, today last; days are in UTC. */
  JunkDays: {
    request: v.strictObject({
      days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(366)),
    }),
    response: v.object({
      days: v.array(v.object({
        day: Time,
        good: Count,
        junk: Count,
        refused: Count,
        /** Marked as junk by the user after arriving as good mail. */
        missed: Count,
        /** Marked as not junk by the user after arriving as junk. */
        falseAlarms: Count,
      })),
    }),
  },
  JunkSet: { request: v.strictObject({ junk: JunkSettings }), response: Nothing },
  SessionEnd: { request: v.strictObject({ id: Id }), response: Nothing },
  SuppressionAdd: {
    request: v.strictObject({ address: text(1000), reason: text(1000) }),
    response: Nothing,
  },
  SuppressionRemove: { request: v.strictObject({ address: text(1000) }), response: Nothing },
};
