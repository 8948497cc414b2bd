/** Calls about accounts. @module */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "../../api/basics.ts";
import { RouteShown } from "./domains.ts";

const Name = v.pipe(text(500), v.minLength(1));
const name = v.strictObject({ name: Name });

export const AccountListed = v.object({
  name: v.string(),
  fullName: v.string(),
  loginDisabled: v.string(),
  addresses: v.array(v.string()),
  /** Bytes; null for an account that has no data yet. */
  usage: v.nullable(Count),
  /** Bytes; null without one. */
  quota: v.nullable(Count),
});
export type AccountListed = v.InferOutput<typeof AccountListed>;

/** What can be set about an account. */
const settings = {
  fullName: text(500),
  /** Recipients elsewhere in 24 hours. */
  maxOutgoing: Count,
  maxFirstTime: Count,
  /** Bytes; 0 for the server's default, null for no limit whatever that is. */
  quota: v.nullable(Count),
  noFirstTimeSenderDelay: v.boolean(),
  noCustomPassword: v.boolean(),
};

/** Days that messages of mailboxes, or of special uses such as `\\Trash`, are kept; 0 for ever. */
const retention = v.pipe(
  v.array(v.strictObject({ mailbox: text(500), days: v.pipe(Count, v.maxValue(36_500)) })),
  v.maxLength(1000),
);
const keeping = {
  retention,
  /** Nothing is removed by its age. */
  legalHold: v.boolean(),
};

export const AccountDetail = v.object({
  ...AccountListed.entries,
  ...settings,
  ...keeping,
  /** Rules of mox.conf, which come after the account's. */
  serverRetention: retention,
  /** Messages to recipients elsewhere in an hour; 0 for no such limit. */
  maxHourly: Count,
  domain: v.string(),
  /** Bytes that the server allows if the account says nothing; null for no limit. */
  defaultQuota: v.nullable(Count),
  /** In force; null without one. */
  effectiveQuota: v.nullable(Count),
  messages: Count,
  mailboxes: Count,
  sentToday: Count,
  secondFactor: v.boolean(),
  appPasswords: Count,
  passkeys: Count,
  sessions: v.array(v.object({
    id: Id,
    service: v.string(),
    created: Time,
    lastUsed: Time,
    remoteIp: v.string(),
    userAgent: v.string(),
  })),
});
export type AccountDetail = v.InferOutput<typeof AccountDetail>;

export const accountsCalls = {
  Accounts: { request: Nothing, response: v.object({ accounts: v.array(AccountListed) }) },
  Account: { request: name, response: AccountDetail },
  /** The password is made, and told once. */
  AccountAdd: {
    request: v.strictObject({ name: Name, address: Name }),
    response: v.object({ password: v.string() }),
  },
  AccountRemove: { request: name, response: Nothing },
  AccountDisable: {
    /** The text is told at logins; "" lets them in again. */
    request: v.strictObject({ name: Name, text: text(500) }),
    response: Nothing,
  },
  AccountSet: {
    /** Without maxHourly, the limit of an hour stays as it is. */
    request: v.strictObject({ name: Name, ...settings, maxHourly: v.optional(Count) }),
    response: Nothing,
  },
  AccountKeepingSet: { request: v.strictObject({ name: Name, ...keeping }), response: Nothing },
  /** Which messages rules would remove now. Nothing is changed. */
  AccountAged: {
    request: v.strictObject({ name: Name, ...keeping }),
    /** Mailboxes that have a rule, with what they would lose. */
    response: v.object({
      mailboxes: v.array(v.object({
        mailbox: v.string(),
        days: Count,
        messages: Count,
        /** Bytes. */
        size: Count,
      })),
    }),
  },
  /** Which transports take messages of the account. */
  AccountRoutesSet: {
    request: v.strictObject({
      name: Name,
      routes: v.pipe(v.array(RouteShown), v.maxLength(1000)),
    }),
    response: Nothing,
  },
  /** Without a password one is made. Sessions of the pages end. */
  AccountPassword: {
    request: v.strictObject({ name: Name, password: v.optional(text(1000)) }),
    response: v.object({ password: v.string() }),
  },
  /** Logs the account out of all pages. */
  AccountSessionsEnd: { request: name, response: Nothing },
  AddressAdd: { request: v.strictObject({ address: Name, account: Name }), response: Nothing },
  AddressRemove: { request: v.strictObject({ address: Name }), response: Nothing },
  /** Removes the second factor of a user who has lost it. */
  SecondFactorRemove: { request: name, response: Nothing },
};
