/** What the parts of mailing lists share: the database, the key for tokens, and sending mail. @module */
import { type Config, listAddress, type ResolvedList } from "../../config/mod.ts";
import { addressKeyOf } from "../../lists/address_key.ts";
import type { ListsDatabase } from "../../lists/database.ts";
import { composeNotice, type Notice } from "../../lists/notices.ts";
import { makeToken, readToken, type TokenPurpose } from "../../lists/tokens.ts";
import type { Log } from "../../log/mod.ts";
import { withTempFile } from "../../platform/files.ts";
import type { Queue } from "../../queue/mod.ts";
import { queueOutgoing } from "../sending/outgoing.ts";

export interface ListServices {
  config: Config;
  queue: Queue;
  db: ListsDatabase;
  /** Key for tokens. */
  key: Uint8Array;
  tempDir: string;
  log: Log;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Notices to owners of a list within an hour; beyond that, held messages only show on the list's page. */
const maxOwnerNotices = 30;
const hour = 3_600_000;

/** A list by its key, `news@example.org`; undefined if there is none, or its domain is disabled. */
export function listByKey(config: Config, key: string): ResolvedList | undefined {
  const found = config.addresses.lists.get(key);
  if (found?.role !== "post") return undefined;
  return config.domain(found.list.domain.ascii)?.config.Disabled ? undefined : found.list;
}

/** All lists that this server has. */
export function allLists(config: Config): ResolvedList[] {
  return [...config.addresses.lists.values()].filter((l) => l.role === "post").map((l) => l.list);
}

/** The queue's account name for messages of a list. No account has a name with a colon. */
export const senderName = (list: ResolvedList): string => `list:${list.key}`;

/** URL of the lists' pages, with a slash at the end; undefined if no listener serves them. */
export function pagesUrl(config: Config): string | undefined {
  for (const https of [true, false]) {
    for (const l of config.static.Listeners.values()) {
      const s = https ? l.ListsHTTPS : l.ListsHTTP;
      if (!s.Enabled) continue;
      const port = s.Port || (https ? 443 : 80);
      const usual = port === (https ? 443 : 80);
      const host = l.Hostname || config.static.Hostname;
      return `http${https ? "s" : ""}://${host}${usual ? "" : `:${port}`}${s.Path || "/lists/"}`;
    }
  }
  return undefined;
}

/** A token for an id. */
export function tokenOf(
  services: ListServices,
  list: ResolvedList,
  purpose: TokenPurpose,
  id: number,
): string {
  return makeToken(services.key, purpose, list.key, id);
}

/** The purpose of a list's token. */
export function tokenIn(services: ListServices, list: ResolvedList, token: string) {
  return readToken(services.key, list.key, token);
}

/** Whether an address is one of the list's owners. */
export function isOwner(list: ResolvedList, address: string): boolean {
  const key = addressKeyOf(address);
  return list.config.Owners.some((o) => addressKeyOf(o) === key);
}

/**
 * Queues a message of a list; durable when it resolves.
 * @param from envelope sender, which gets bounces; "" for none
 */
export async function sendNotice(
  services: ListServices,
  list: ResolvedList,
  notice: Notice,
  from = "",
): Promise<void> {
  const messageId = `${crypto.randomUUID()}@${list.domain.ascii}`;
  const bytes = composeNotice(list, notice, messageId, new Date(services.now()));
  const smtputf8 = /[^\p{ASCII}]/u.test(notice.to);
  await withTempFile(services.tempDir, "list-", bytes, (path) =>
    queueOutgoing(services, {
      senderAccount: senderName(list),
      fromDomain: list.domain.ascii,
      mailFrom: from,
      recipients: [{ address: notice.to, notify: from === "" ? ["never"] : undefined }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8,
      has8bit: smtputf8,
      requireTls: false,
      messageId: `<${messageId}>`,
      subject: notice.subject,
      isDsn: from === "",
    }));
}

/** Notifies the owners of a list, unless they got many notices within the hour. */
export async function tellOwners(
  services: ListServices,
  list: ResolvedList,
  notice: (to: string) => Notice,
): Promise<void> {
  if (!services.db.answers.allow(list.key, "owners", maxOwnerNotices, hour, services.now())) return;
  for (const owner of list.config.Owners) await sendNotice(services, list, notice(owner));
}

/** Replies to an address in a day, and from a list in an hour. */
const maxAnswers = 5;
const maxAllAnswers = 500;

/**
 * Whether a list may write to an address because of what somebody sent or typed: strangers must not be able
 * to make it write to others again and again.
 */
export function mayWriteTo(services: ListServices, list: ResolvedList, address: string): boolean {
  const now = services.now();
  return services.db.answers.allow(
    list.key,
    `to ${addressKeyOf(address)}`,
    maxAnswers,
    24 * hour,
    now,
  ) &&
    services.db.answers.allow(list.key, "all", maxAllAnswers, hour, now);
}

/** Envelope sender of messages to a member, which gets the bounces for that member. */
export function bounceAddress(
  services: ListServices,
  list: ResolvedList,
  purpose: "bounce" | "probe",
  member: number,
): string {
  return listAddress(list, "bounces", tokenOf(services, list, purpose, member));
}
