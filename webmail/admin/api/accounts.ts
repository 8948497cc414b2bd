/** Calls for accounts. @module */
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
  /** In bytes; null for an account that has no data yet. */
  usage: v.nullable(Count),
  /** In bytes; null for none. */
  quota: v.nullable(Count),
});
export type AccountListed = v.InferOutput<typeof AccountListed>;

/** Settings of an account. */
const settings = {
  fullName: text(500),
  /** External recipients in 24 hours. */
  maxOutgoing: Count,
  maxFirstTime: Count,
  /** In bytes; 0 for the server's default, null for no limit even if there is a default. */
  quota: v.nullable(Count),
  noFirstTimeSenderDelay: v.boolean(),
  noCustomPassword: v.boolean(),
};

/** Days for which messages in mailboxes, or with special uses such as `\\Trash`, are kept; 0 for ever. */
const retention = v.pipe(
  v.array(v.strictObject({ mailbox: text(500), days: v.pipe(Count, v.maxValue(36_500)) })),
  v.maxLength(1000),
);
const keeping = {
  retention,
  /** Whether messages are exempt from deletion by age. */
  legalHold: v.boolean(),
};

export const AccountDetail = v.object({
  ...AccountListed.entries,
  ...settings,
  ...keeping,
  /** Rules of mox.conf, which apply after the account's. */
  serverRetention: retention,
  /** External recipients in an hour; 0 for no such limit. */
  maxHourly: Count,
  domain: v.string(),
  /** Bytes that the server allows without a setting of the account; null for no limit. */
  defaultQuota: v.nullable(Count),
  /** The limit in effect; null for none. */
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
  /** The password is generated, and returned once. */
  AccountAdd: {
    request: v.strictObject({ name: Name, address: Name }),
    response: v.object({ password: v.string() }),
  },
  AccountRemove: { request: name, response: Nothing },
  AccountDisable: {
    /** The text is shown at logins; "" allows logins again. */
    request: v.strictObject({ name: Name, text: text(500) }),
    response: Nothing,
  },
  AccountSet: {
    /** Without maxHourly, the hourly limit stays unchanged. */
    request: v.strictObject({ name: Name, ...settings, maxHourly: v.optional(Count) }),
    response: Nothing,
  },
  AccountKeepingSet: { request: v.strictObject({ name: Name, ...keeping }), response: Nothing },
  /** Which messages rules would delete now. Nothing is changed. */
  AccountAged: {
    request: v.strictObject({ name: Name, ...keeping }),
    /** Mailboxes with a rule, and what they would lose. */
    response: v.object({
      mailboxes: v.array(v.object({
        mailbox: v.string(),
        days: Count,
        messages: Count,
        /** In bytes. */
        size: Count,
      })),
    }),
  },
  /** Which transports the account's messages use. */
  AccountRoutesSet: {
    request: v.strictObject({
      name: Name,
      routes: v.pipe(v.array(RouteShown), v.maxLength(1000)),
    }),
    response: Nothing,
  },
  /** Without a password one is generated. Web sessions end. */
  AccountPassword: {
    request: v.strictObject({ name: Name, password: v.optional(text(1000)) }),
    response: v.object({ password: v.string() }),
  },
  /** Ends all of the account's web sessions. */
  AccountSessionsEnd: { request: name, response: Nothing },
  AddressAdd: { request: v.strictObject({ address: Name, account: Name }), response: Nothing },
  AddressRemove: { request: v.strictObject({ address: Name }), response: Nothing },
  /** Removes the second factor of a user who has lost it. */
  SecondFactorRemove: { request: name, response: Nothing },
};
