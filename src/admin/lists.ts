/** Mailing lists in domains.conf, and their members. @module */
import { mailingList as listType } from "../config/dynamic/mailing_list.ts";
import type { Config, Dynamic, MailingList, ResolvedList } from "../config/mod.ts";
import { NameError, packAddress, parseAddress } from "../config/names.ts";
import type { ListsDatabase } from "../lists/database.ts";
import { maxSlice } from "../lists/members.ts";
import { giveWay } from "../platform/turns.ts";
import { localpartKey, splitAddress } from "./addresses.ts";
import { requireDomain } from "./domains.ts";
import { AdminError, changing } from "./errors.ts";

/** Settings of a list; those not given are unchanged. */
export interface ListSettings {
  name?: string;
  description?: string;
  owners?: readonly string[];
  posting?: MailingList["Posting"];
  others?: MailingList["Others"];
  moderated?: boolean;
  subscribing?: MailingList["Subscribing"];
  archive?: MailingList["Archive"];
  from?: MailingList["From"];
  replyToList?: boolean;
  subjectPrefix?: string;
  maxMessageSize?: number;
  unlisted?: boolean;
}

/** Operations on the running server's lists for administrators. */
export interface RunningLists {
  db: ListsDatabase;
  /** Decides about a held message; durable when it resolves. @throws AdminError if it was decided before */
  decide(list: ResolvedList, id: number, verdict: "approve" | "reject" | "discard"): Promise<void>;
}

function apply(list: MailingList, settings: ListSettings): void {
  if (settings.name !== undefined) list.Name = settings.name;
  if (settings.description !== undefined) list.Description = settings.description;
  if (settings.owners !== undefined) list.Owners = [...settings.owners];
  if (settings.posting !== undefined) list.Posting = settings.posting;
  if (settings.others !== undefined) list.Others = settings.others;
  if (settings.moderated !== undefined) list.Moderated = settings.moderated;
  if (settings.subscribing !== undefined) list.Subscribing = settings.subscribing;
  if (settings.archive !== undefined) list.Archive = settings.archive;
  if (settings.from !== undefined) list.From = settings.from;
  if (settings.replyToList !== undefined) list.ReplyToList = settings.replyToList;
  if (settings.subjectPrefix !== undefined) list.SubjectPrefix = settings.subjectPrefix;
  if (settings.maxMessageSize !== undefined) list.MaxMessageSize = settings.maxMessageSize;
  if (settings.unlisted !== undefined) list.Unlisted = settings.unlisted;
}

function find(
  dynamic: Dynamic,
  address: string,
): { list: MailingList; remove: () => void } {
  const { localpart, domain } = splitAddress(address);
  const { Lists, LocalpartCaseSensitive } = dynamic.Domains.get(requireDomain(dynamic, domain))!;
  const key = localpartKey(Lists, localpart, LocalpartCaseSensitive);
  if (key === undefined) throw new AdminError(`no list ${address}`);
  return { list: Lists.get(key)!, remove: () => void Lists.delete(key) };
}

/** Adds a mailing list. @throws AdminError */
export async function addList(
  config: Config,
  address: string,
  settings: ListSettings,
): Promise<void> {
  const { localpart, domain } = splitAddress(address);
  await changing(() =>
    config.writeDynamic((value) => {
      const { Lists } = value.Domains.get(requireDomain(value, domain))!;
      if (Lists.has(localpart)) throw new AdminError(`list ${address} is there already`);
      const list = listType.zero();
      apply(list, settings);
      Lists.set(localpart, list);
    })
  );
}

/** Changes settings of a list. @throws AdminError */
export async function updateList(
  config: Config,
  address: string,
  settings: ListSettings,
): Promise<void> {
  await changing(() => config.writeDynamic((d) => apply(find(d, address).list, settings)));
}

/** Removes a list; its members and archive are deleted soon after. @throws AdminError */
export async function removeList(config: Config, address: string): Promise<void> {
  await changing(() => config.writeDynamic((value) => find(value, address).remove()));
}

/** A list by its address. @throws AdminError */
export function listOf(config: Config, address: string): ResolvedList {
  const { localpart, domain } = splitAddress(address);
  const found = config.lookupAddress(localpart, domain, { disabledDomains: true });
  if (found.kind !== "list" || found.role !== "post") throw new AdminError(`no list ${address}`);
  return found.list;
}

/**
 * Adds members without confirmation; durable when it resolves. Yields to others.
 * @returns how many were not members yet
 * @throws AdminError before anything is added
 */
export async function addListMembers(
  config: Config,
  db: ListsDatabase,
  address: string,
  members: readonly string[],
  now: number,
): Promise<number> {
  const list = listOf(config, address);
  const checked = members.map((m) => {
    try {
      // Mailman's format for members with names: "Ann Example <ann@example.org>".
      const at = parseAddress(/^[^<>]*<([^<>]*)>$/.exec(m.trim())?.[1] ?? m.trim());
      const own = config.lookupAddress(at.localpart, at.domain.ascii);
      if (own.kind === "list" && own.list.key === list.key) {
        throw new NameError("is the list's own");
      }
      return { address: packAddress(at), name: "" };
    } catch (err) {
      if (!(err instanceof NameError)) throw err;
      throw new AdminError(
        `${JSON.stringify(m.slice(0, 100))} can't be a member: it ${err.message}`,
      );
    }
  });
  let added = 0;
  for (let i = 0; i < checked.length; i += maxSlice) {
    added += db.members.add(list.key, checked.slice(i, i + maxSlice), now);
    await giveWay();
  }
  await db.durable();
  return added;
}

/** Removes members; durable when it resolves. @throws AdminError if one isn't a member; nothing is changed then */
export async function removeListMembers(
  config: Config,
  db: ListsDatabase,
  address: string,
  members: readonly string[],
): Promise<void> {
  const list = listOf(config, address);
  for (const m of members) {
    if (!db.members.get(list.key, m)) throw new AdminError(`${m} is not a member of ${address}`);
  }
  for (const m of members) {
    db.members.remove(list.key, m);
    await giveWay();
  }
  await db.durable();
}

/** Resumes sending to a member whose messages bounced; durable when it resolves. @throws AdminError */
export async function resumeListMember(
  config: Config,
  db: ListsDatabase,
  address: string,
  member: string,
): Promise<void> {
  const list = listOf(config, address);
  const found = db.members.get(list.key, member);
  if (!found) throw new AdminError(`${member} is not a member of ${address}`);
  db.members.revive(list.key, found.id);
  await db.durable();
}
