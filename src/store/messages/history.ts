/**
 * An account's received messages and its user's recipients: the history for reputation and rate limits.
 *
 * @module
 */
import type { Db, SqlValue } from "../database/database.ts";
import type { MailboxId } from "../ids.ts";
import { Flag } from "../types.ts";

/** A message of the history, marked as junk or as not junk, never as both. */
export interface HistoryMessage {
  junk: boolean;
  msgFromLocalpart: string;
}

/** Which messages to find: all given properties must match, and at least one is given. */
export interface HistoryQuery {
  /** Mailbox that the messages were delivered to, or intended for when they were rejected. */
  mailboxId: MailboxId;
  /** Milliseconds: received at or after. */
  since: number;
  /** The newest ones, at most this many. */
  limit: number;
  msgFromLocalpart?: string;
  msgFromDomain?: string;
  msgFromOrgDomain?: string;
  msgFromValidated?: boolean;
  /** One of the domains whose signatures passed. */
  dkimDomain?: string;
  /** For messages whose MAIL FROM passed SPF: a forged one says nothing about its owner. */
  mailFromLocalpart?: string;
  mailFromDomain?: string;
  /** For messages whose EHLO passed SPF. */
  ehloDomain?: string;
  network?: Network;
}

/** A sender's network: the one at the index among its networks, narrow (0) to wide (2). */
export interface Network {
  index: 0 | 1 | 2;
  /** As in the facts: networks wider than the index help to find it. */
  networks: readonly [string, string, string];
}

/** An account's history for reputation and rate limits. Queries are short and synchronous. */
export interface History {
  /** Marked messages that are not expunged, newest first. */
  messages(query: HistoryQuery): HistoryMessage[];
  /** Whether the user has sent a message to an address, a domain or an organizational domain. */
  sentTo(
    q: { localpart: string; domain: string } | { domain: string } | { orgDomain: string },
    since: number,
  ): boolean;
  /** Messages from a network at or after a time, marked or not: their number and bytes. */
  received(network: Network, since: number): {
    count: number;
    size: number;
  };
}

const netColumns = ["net1", "net2", "net3"] as const;

/** For a signing domain only this many of the account's newest messages are checked. */
const dkimMessages = 1000;

/** Exactly one of $Junk and $NotJunk. */
const marked = `(m.flags & ${Flag.Junk} != 0) != (m.flags & ${Flag.NotJunk} != 0)`;

/** History over an account's database. */
export function accountHistory(db: Pick<Db, "all" | "get">): History {
  return {
    messages(query) {
      const { where, params } = conditions(query);
      return db.all(
        `SELECT m.flags & ${Flag.Junk}, d.msg_from_localpart FROM deliveries d ` +
          "JOIN messages m ON m.id = d.message_id " +
          `WHERE m.expunged = 0 AND ${marked} AND ${where} ORDER BY d.received DESC, d.message_id DESC LIMIT ?`,
        ...params,
        query.limit,
      ).map(([junk, localpart]) => ({ junk: junk !== 0, msgFromLocalpart: localpart }));
    },
    sentTo(q, since) {
      const [where, ...params] = "orgDomain" in q
        ? ["org_domain = ?", q.orgDomain]
        : "localpart" in q
        ? ["domain = ? AND localpart = ?", q.domain, q.localpart]
        : ["domain = ?", q.domain];
      return db.get(
        `SELECT 1 FROM recipients WHERE ${where} AND sent >= ? LIMIT 1`,
        ...params,
        since,
      ) !==
        undefined;
    },
    received(network, since) {
      const { where, params } = within(network);
      const row = db.get(
        "SELECT count(*), coalesce(sum(d.size), 0) FROM deliveries d JOIN messages m ON m.id = d.message_id " +
          `WHERE m.expunged = 0 AND ${where} AND d.received >= ?`,
        ...params,
        since,
      )!;
      return { count: row[0], size: row[1] };
    },
  };
}

/** Registered domains that the account's user has written to, in order, up to a limit. */
export function correspondentDomains(db: Pick<Db, "all">, limit: number): string[] {
  return db.all("SELECT DISTINCT org_domain FROM recipients ORDER BY org_domain LIMIT ?", limit)
    .map(([domain]) => domain as string);
}

function conditions(query: HistoryQuery): { where: string; params: SqlValue[] } {
  const where = ["d.orig_mailbox_id = ?", "d.received >= ?"];
  const params: SqlValue[] = [query.mailboxId, query.since];
  const equal = (column: string, value: SqlValue | undefined) => {
    if (value === undefined) return;
    where.push(`d.${column} = ?`);
    params.push(value);
  };
  equal("msg_from_localpart", query.msgFromLocalpart);
  equal("msg_from_domain", query.msgFromDomain);
  equal("msg_from_org_domain", query.msgFromOrgDomain);
  equal(
    "msg_from_validated",
    query.msgFromValidated === undefined ? undefined : query.msgFromValidated ? 1 : 0,
  );
  equal("mail_from_localpart", query.mailFromLocalpart);
  equal("mail_from_domain", query.mailFromDomain);
  equal("ehlo_domain", query.ehloDomain);
  if (query.mailFromDomain !== undefined) equal("mail_from_validated", 1);
  if (query.ehloDomain !== undefined) equal("ehlo_validated", 1);
  if (query.network) {
    const network = within(query.network);
    where.push(network.where);
    params.push(...network.params);
  }
  if (query.dkimDomain !== undefined) {
    where.push(
      "d.message_id IN (SELECT message_id FROM dkim_domains WHERE domain = ? ORDER BY message_id DESC LIMIT ?)",
    );
    params.push(query.dkimDomain, dkimMessages);
  }
  return { where: where.join(" AND "), params };
}

/** All networks from the wide one to the requested one: the order of the index. */
function within(network: Network): { where: string; params: SqlValue[] } {
  const columns = netColumns.slice(network.index).reverse();
  return {
    where: columns.map((c) => `d.${c} = ?`).join(" AND "),
    params: network.networks.slice(network.index).reverse(),
  };
}
