/**
 * The calls of the admin page: schemas shared by server and page. Imports valibot and the webmail's basic
 * schemas; src/web/admin and the page import it.
 *
 * @module
 */
import * as v from "valibot";
import { Attempts } from "../account/security_api.ts";
import { Count, Id, Nothing, text, Time } from "../api/basics.ts";

const Name = v.pipe(text(500), v.minLength(1));

export const QueueItem = v.object({
  id: Id,
  account: v.string(),
  from: v.string(),
  to: v.string(),
  subject: v.string(),
  size: Count,
  queued: Time,
  next: Time,
  attempts: Count,
  hold: v.boolean(),
  transport: v.string(),
  lastError: v.string(),
});
export type QueueItem = v.InferOutput<typeof QueueItem>;

export const Finding = v.object({
  state: v.string(),
  text: v.string(),
  fix: v.string(),
});

export const DomainDetail = v.object({
  name: v.string(),
  disabled: v.boolean(),
  description: v.string(),
  aliases: v.array(v.object({
    localpart: v.string(),
    members: v.array(v.string()),
    postPublic: v.boolean(),
    listMembers: v.boolean(),
    allowMsgFrom: v.boolean(),
  })),
  /** Lines for the zone file. */
  records: v.array(v.string()),
  clients: v.array(v.object({
    protocol: v.string(),
    host: v.string(),
    port: v.number(),
    security: v.string(),
  })),
});
export type DomainDetail = v.InferOutput<typeof DomainDetail>;

export const AdminOverview = v.object({
  version: v.string(),
  hostname: v.string(),
  started: Time,
  memory: Count,
  domains: v.array(v.object({ name: v.string(), disabled: v.boolean() })),
  accounts: v.array(v.object({
    name: v.string(),
    loginDisabled: v.string(),
    addresses: v.array(v.string()),
    /** Bytes; null for an account that has no data yet. */
    usage: v.nullable(Count),
  })),
  queue: Count,
  logLevels: v.array(v.object({ pkg: v.string(), level: v.string() })),
  listeners: v.array(v.string()),
  staticConfig: v.string(),
  dynamicConfig: v.string(),
});
export type AdminOverview = v.InferOutput<typeof AdminOverview>;

const filter = v.strictObject({ ids: v.pipe(v.array(Id), v.minLength(1), v.maxLength(10_000)) });

export const adminCalls = {
  Login: {
    request: v.strictObject({
      username: text(500),
      password: text(1000),
      totp: v.optional(text(20)),
    }),
    response: Nothing,
  },
  Session: { request: Nothing, response: v.object({ loggedIn: v.boolean() }) },
  Logout: { request: Nothing, response: Nothing },
  Overview: { request: Nothing, response: AdminOverview },

  Domain: { request: v.strictObject({ name: Name }), response: DomainDetail },
  DomainAdd: { request: v.strictObject({ name: Name, account: Name }), response: Nothing },
  DomainRemove: { request: v.strictObject({ name: Name }), response: Nothing },
  DomainDisable: {
    request: v.strictObject({ name: Name, disabled: v.boolean() }),
    response: Nothing,
  },
  /** Looks at the DNS, which takes some seconds. */
  DomainCheck: {
    request: v.strictObject({ name: Name }),
    response: v.object({
      parts: v.array(v.object({
        name: v.string(),
        state: v.string(),
        findings: v.array(Finding),
      })),
    }),
  },

  /** The password is made, and told once. */
  AccountAdd: {
    request: v.strictObject({ name: Name, address: Name }),
    response: v.object({ password: v.string() }),
  },
  AccountRemove: { request: v.strictObject({ name: Name }), response: Nothing },
  AccountDisable: {
    /** The text is told at logins; "" lets them in again. */
    request: v.strictObject({ name: Name, text: text(500) }),
    response: Nothing,
  },
  AccountPassword: {
    request: v.strictObject({ name: Name }),
    response: v.object({ password: v.string() }),
  },
  AddressAdd: { request: v.strictObject({ address: Name, account: Name }), response: Nothing },
  AddressRemove: { request: v.strictObject({ address: Name }), response: Nothing },
  AliasAdd: {
    request: v.strictObject({
      address: Name,
      members: v.pipe(v.array(Name), v.minLength(1)),
      postPublic: v.boolean(),
      listMembers: v.boolean(),
      allowMsgFrom: v.boolean(),
    }),
    response: Nothing,
  },
  AliasRemove: { request: v.strictObject({ address: Name }), response: Nothing },

  Queue: { request: Nothing, response: v.object({ items: v.array(QueueItem), total: Count }) },
  QueueAct: {
    request: v.strictObject({
      filter,
      action: v.picklist(["hold", "unhold", "now", "fail", "drop"]),
    }),
    response: v.object({ count: Count }),
  },

  DmarcReports: {
    request: Nothing,
    response: v.object({
      domains: v.array(v.object({
        domain: v.string(),
        total: Count,
        dispositionNone: Count,
        quarantine: Count,
        reject: Count,
        dkimFail: Count,
        spfFail: Count,
      })),
    }),
  },
  TlsReports: {
    request: Nothing,
    response: v.object({
      reports: v.array(v.object({
        id: Id,
        organization: v.string(),
        domain: v.string(),
        begin: Time,
        success: Count,
        failure: Count,
      })),
    }),
  },

  LogLevelSet: {
    request: v.strictObject({ pkg: text(100), level: text(30) }),
    response: Nothing,
  },
  /** Removes the second factor of a user who has lost it. */
  SecondFactorRemove: { request: v.strictObject({ name: Name }), response: Nothing },
  /** Room on the disk, and whether block lists have this host; null where there is no DNS. */
  Host: {
    request: Nothing,
    response: v.object({
      dataDir: v.string(),
      free: Count,
      used: Count,
      dnsbl: v.nullable(v.array(v.object({
        ip: v.string(),
        zone: v.string(),
        status: v.string(),
        text: v.string(),
      }))),
    }),
  },
  /** Attempts to log in, certificates, and policies of others. */
  Security: {
    request: Nothing,
    response: v.object({
      attempts: v.array(Attempts),
      certificates: v.array(v.object({
        name: v.string(),
        authority: v.string(),
        /** Null if there is none yet. */
        notAfter: v.nullable(Time),
        next: Time,
        failures: Count,
        error: v.string(),
      })),
      policies: v.array(v.object({
        domain: v.string(),
        mode: v.string(),
        fetched: Time,
        expires: Time,
        mx: v.array(v.string()),
      })),
    }),
  },
  PasswordSet: { request: v.strictObject({ password: text(1000) }), response: Nothing },
};
