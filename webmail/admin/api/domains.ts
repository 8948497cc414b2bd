/** Calls for domains and their aliases. @module */
import * as v from "valibot";
import { Count, Nothing, text } from "../../api/basics.ts";

const Name = v.pipe(text(500), v.minLength(1));
const name = v.strictObject({ name: Name });

export const DomainListed = v.object({
  name: v.string(),
  disabled: v.boolean(),
  description: v.string(),
  addresses: Count,
  aliases: Count,
  signed: v.boolean(),
  mtasts: v.string(),
});
export type DomainListed = v.InferOutput<typeof DomainListed>;

export const Record = v.object({
  name: v.string(),
  type: v.string(),
  data: v.string(),
  comment: v.string(),
  optional: v.boolean(),
});
export type Record = v.InferOutput<typeof Record>;

export const Alias = v.object({
  localpart: v.string(),
  members: v.array(v.string()),
  postPublic: v.boolean(),
  listMembers: v.boolean(),
  allowMsgFrom: v.boolean(),
});
export type Alias = v.InferOutput<typeof Alias>;

/** Where reports about the domain go. */
const reports = v.nullable(v.object({ address: v.string(), account: v.string() }));

export const DomainDetail = v.object({
  name: v.string(),
  disabled: v.boolean(),
  description: v.string(),
  /** Accounts that may view and change this domain on this page. */
  administrators: v.array(v.string()),
  clientSettingsDomain: v.string(),
  separators: v.array(v.string()),
  caseSensitive: v.boolean(),
  monthlyReport: v.boolean(),
  /** Where copies of all its mail go; null for no copies. */
  journal: v.nullable(v.object({
    address: v.string(),
    mailbox: v.string(),
    /** "" for unencrypted copies. */
    keyFile: v.string(),
    /** The local account that they go to; "" if they go elsewhere. */
    account: v.string(),
  })),
  addresses: v.array(v.object({ address: v.string(), account: v.string() })),
  aliases: v.array(Alias),
  dmarc: reports,
  tlsrpt: reports,
  mtasts: v.nullable(v.object({
    mode: v.string(),
    policyId: v.string(),
    maxAge: v.string(),
    mx: v.array(v.string()),
  })),
  dkim: v.array(v.object({ selector: v.string(), signs: v.boolean(), file: v.string() })),
  records: v.array(Record),
  /** The same as part of a zone file. */
  zone: v.string(),
  clients: v.array(v.object({
    protocol: v.string(),
    host: v.string(),
    port: v.number(),
    security: v.string(),
  })),
});
export type DomainDetail = v.InferOutput<typeof DomainDetail>;

export const CheckPart = v.object({
  name: v.string(),
  state: v.picklist(["ok", "warning", "error", "skipped"]),
  findings: v.array(v.object({ level: v.picklist(["error", "warning"]), text: v.string() })),
  /** Records found in the DNS. */
  found: v.array(v.string()),
  /** What to change. */
  fix: v.array(v.string()),
});
export type CheckPart = v.InferOutput<typeof CheckPart>;

const options = {
  postPublic: v.boolean(),
  listMembers: v.boolean(),
  allowMsgFrom: v.boolean(),
};
const members = v.pipe(v.array(Name), v.minLength(1), v.maxLength(10_000));

/** A route of messages to a transport. */
export const RouteShown = v.strictObject({
  fromDomain: v.pipe(v.array(text(300)), v.maxLength(1000)),
  toDomain: v.pipe(v.array(text(300)), v.maxLength(1000)),
  minimumAttempts: Count,
  transport: text(500),
});
const routes = v.pipe(v.array(RouteShown), v.maxLength(1000));

export const domainCalls = {
  Domains: { request: Nothing, response: v.object({ domains: v.array(DomainListed) }) },
  Domain: { request: name, response: DomainDetail },
  DomainAdd: {
    request: v.strictObject({ name: Name, account: Name, disabled: v.boolean() }),
    response: Nothing,
  },
  DomainRemove: { request: name, response: Nothing },
  DomainDisable: {
    request: v.strictObject({ name: Name, disabled: v.boolean() }),
    response: Nothing,
  },
  DomainSet: {
    request: v.strictObject({
      name: Name,
      description: text(2000),
      clientSettingsDomain: text(300),
      separators: v.pipe(v.array(text(10)), v.maxLength(10)),
      caseSensitive: v.boolean(),
      /** If left out it stays unchanged. */
      monthlyReport: v.optional(v.boolean()),
    }),
    response: Nothing,
  },
  /** Where copies of all the domain's mail go; null for no copies. */
  DomainJournalSet: {
    request: v.strictObject({
      name: Name,
      journal: v.nullable(v.strictObject({
        address: Name,
        /** "" for the mailbox Journal. */
        mailbox: text(500),
        /** File with the key, relative to the folder of domains.conf; "" for unencrypted copies. */
        keyFile: text(1000),
        /**
         * A new key, OpenPGP or a certificate, which is stored in a file in place of keyFile. "" for none.
         */
        key: text(300_000),
      })),
    }),
    response: Nothing,
  },
  /** A change gets a new id, which must be put into the DNS. */
  DomainMtaSts: {
    request: v.strictObject({ name: Name, mode: v.picklist(["none", "testing", "enforce"]) }),
    response: Nothing,
  },
  /** Accounts that administer the domain, replacing the previous ones. */
  DomainAdministratorsSet: {
    request: v.strictObject({ name: Name, accounts: v.pipe(v.array(Name), v.maxLength(1000)) }),
    response: Nothing,
  },
  /** A complete policy; null removes it. Without an id it gets a new one. */
  DomainMtaStsSet: {
    request: v.strictObject({
      name: Name,
      policy: v.nullable(v.strictObject({
        policyId: text(32),
        mode: v.picklist(["none", "testing", "enforce"]),
        /** In milliseconds. */
        maxAge: Count,
        mx: v.pipe(v.array(text(300)), v.maxLength(100)),
      })),
    }),
    response: Nothing,
  },
  /** Where reports about the domain go; null for nowhere. */
  DomainReportsSet: {
    request: v.strictObject({
      name: Name,
      kind: v.picklist(["DMARC", "TLSRPT"]),
      to: v.nullable(v.strictObject({
        localpart: text(100),
        domain: text(300),
        account: text(500),
        mailbox: text(500),
      })),
    }),
    response: Nothing,
  },
  /** Which transports messages from the domain use. */
  DomainRoutesSet: { request: v.strictObject({ name: Name, routes }), response: Nothing },
  /** The same for all domains and accounts without routes of their own. */
  RoutesSet: { request: v.strictObject({ routes }), response: Nothing },
  /** Creates a key; it signs once that is turned on, after its record is in the DNS. */
  DkimAdd: {
    request: v.strictObject({
      name: Name,
      selector: Name,
      algorithm: v.picklist(["rsa2048", "ed25519"]),
    }),
    response: Nothing,
  },
  DkimSign: {
    request: v.strictObject({ name: Name, selector: Name, sign: v.boolean() }),
    response: Nothing,
  },
  DkimRemove: { request: v.strictObject({ name: Name, selector: Name }), response: Nothing },
  /** Checks the DNS, which takes some seconds. */
  DomainCheck: { request: name, response: v.object({ parts: v.array(CheckPart) }) },

  /** The changes that would be made to the domain's zone. */
  DnsPlan: {
    request: name,
    response: v.object({
      remove: v.array(v.string()),
      add: v.array(v.string()),
      /** Records that have to be added elsewhere. */
      elsewhere: v.array(v.string()),
    }),
  },
  /** Makes the changes, and waits until they are visible: up to some minutes. */
  DnsWrite: {
    request: name,
    /** Records that were written and are not visible yet. */
    response: v.object({ late: v.array(v.string()) }),
  },
  /** Starts replacing the domain's DKIM keys. */
  DkimRotate: { request: name, response: v.object({ selectors: v.array(v.string()) }) },
  /** Replacements of DKIM keys under way. */
  DkimRotations: {
    request: Nothing,
    response: v.object({
      rotations: v.array(v.object({
        domain: v.string(),
        step: v.picklist(["publish", "wait", "used"]),
        selectors: v.array(v.string()),
        old: v.array(v.string()),
        since: v.number(),
        problem: v.string(),
      })),
    }),
  },

  AliasAdd: {
    request: v.strictObject({ address: Name, members, ...options }),
    response: Nothing,
  },
  AliasSet: {
    request: v.strictObject({ address: Name, members, ...options }),
    response: Nothing,
  },
  AliasMembersAdd: { request: v.strictObject({ address: Name, members }), response: Nothing },
  AliasMembersRemove: { request: v.strictObject({ address: Name, members }), response: Nothing },
  AliasRemove: { request: v.strictObject({ address: Name }), response: Nothing },
};
