/**
 * Mailboxes by the names that a client uses: its own, and those that other accounts share with it,
 * below "Other Users" (RFC 2342 §5, RFC 4314).
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import { allRights, effectiveRights, sharedMailboxIds } from "../../../store/mailboxes/rights.ts";
import { StoreError } from "../../../store/types.ts";
import { ImapNo } from "../session/answer.ts";
import { otherUsers, type Place, type Source, splitShared } from "../names/names.ts";
import type { Session } from "../session/session.ts";

/** Prefix of the names of an account's mailboxes. */
export function prefixOf(session: Session, account: Account): string {
  return account === session.account ? "" : `${otherUsers}/${account.name}/`;
}

/** An account that may share something with the client; it stays open as long as the session. */
export async function sharingAccount(
  session: Session,
  owner: string,
): Promise<Account | undefined> {
  const known = session.shared.get(owner);
  if (known) return known;
  if (!session.backend.sharing?.owners(session.store.name).includes(owner)) return undefined;
  try {
    const account = await session.backend.sharing.open(owner);
    session.shared.set(owner, account);
    return account;
  } catch (err) {
    // Removed since.
    if (err instanceof StoreError && err.code === "accountMissing") return undefined;
    throw err;
  }
}

/** Follows the changes of an account. */
export function sourceOf(session: Session, account: Account): Source {
  const known = session.sources.find((x) => x.account === account);
  if (known) return known;
  const source = { account, listener: account.listen(), prefix: prefixOf(session, account) };
  session.sources.push(source);
  return source;
}

/** The mailbox with this name and the client's rights; undefined if the client may not know of it. */
export async function findPlace(session: Session, name: string): Promise<Place | undefined> {
  const own = session.store.mailboxByName(name);
  if (own) return { account: session.store, mailbox: own, name: own.name, rights: allRights };
  const shared = splitShared(name);
  const account = shared && await sharingAccount(session, shared.owner);
  const mailbox = account?.mailboxByName(shared!.rest);
  if (!account || !mailbox) return undefined;
  const rights = effectiveRights(account, mailbox.id, session.store.name);
  if (rights === "") return undefined;
  return { account, mailbox, name: prefixOf(session, account) + mailbox.name, rights };
}

const rightNames: Record<string, string> = {
  l: "see it",
  r: "read it",
  s: "mark messages as seen",
  w: "change flags",
  i: "put messages into it",
  k: "make mailboxes below it",
  x: "remove or rename it",
  t: "mark messages as deleted",
  e: "expunge messages",
  a: "change its rights",
};

/** @throws ImapNo unless the rights have one of the letters */
export function requireRight(rights: string, letters: string): void {
  if ([...letters].some((l) => rights.includes(l))) return;
  throw new ImapNo(`you have no right to ${rightNames[letters[0]]} (${letters})`, "NOPERM");
}

/**
 * The mailbox with this name.
 * @param letters rights of which the client needs one
 * @throws ImapNo with the code if it does not exist for this client, NOPERM without these rights (RFC 4314 §6)
 */
export async function place(
  session: Session,
  name: string,
  letters: string,
  code: "NONEXISTENT" | "TRYCREATE" = "NONEXISTENT",
): Promise<Place> {
  const p = await findPlace(session, name);
  if (!p) {
    // No TRYCREATE below "Other Users": clients can hardly create anything there.
    const shared = code === "TRYCREATE" && splitShared(name) ? "NONEXISTENT" : code;
    throw new ImapNo("no such mailbox", shared);
  }
  if ([...letters].some((l) => p.rights.includes(l))) return p;
  // RFC 4314 §6: without the right to look it up, a client must not learn that it exists.
  if (!p.rights.includes("l")) throw new ImapNo("no such mailbox", "NONEXISTENT");
  requireRight(p.rights, letters);
  return p;
}

/** A name as sent: a trailing "/" announces mailboxes below it (RFC 9051 §6.3.4). */
export function trimDelimiter(name: string): string {
  return name.length > 1 && name.endsWith("/") ? name.slice(0, -1) : name;
}

/**
 * Where a new mailbox will be, and its name there. Below another user's mailbox this requires the right k (RFC 4314
 * §4).
 * @throws ImapNo NOPERM if it may not be created there
 */
export async function newPlace(
  session: Session,
  name: string,
): Promise<{ account: Account; own: string }> {
  const shared = session.store.mailboxByName(name) ? undefined : splitShared(name);
  if (!shared) return { account: session.store, own: name };
  for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
    const parent = splitShared(name.slice(0, at));
    const account = parent && await sharingAccount(session, parent.owner);
    if (!account) break;
    // The nearest existing parent counts, even one that the client may not know of.
    const mailbox = account.mailboxByName(parent.rest);
    if (!mailbox) continue;
    const rights = effectiveRights(account, mailbox.id, session.store.name);
    if (!rights.includes("l")) break;
    requireRight(rights, "k");
    return { account, own: shared.rest };
  }
  throw new ImapNo("mailboxes of others can only be made below one that was shared", "NOPERM");
}

/** All mailboxes of others that the client may look up. */
export async function sharedPlaces(session: Session): Promise<Place[]> {
  const places: Place[] = [];
  for (const owner of session.backend.sharing?.owners(session.store.name) ?? []) {
    const account = await sharingAccount(session, owner);
    if (!account) continue;
    const ids = sharedMailboxIds(account.db);
    if (ids.size === 0) continue;
    for (const mailbox of account.mailboxes()) {
      if (!ids.has(mailbox.id)) continue;
      const rights = effectiveRights(account, mailbox.id, session.store.name);
      if (!rights.includes("l")) continue;
      places.push({ account, mailbox, name: prefixOf(session, account) + mailbox.name, rights });
    }
  }
  return places;
}

/** Suffix that makes ids of another account's mailboxes, emails and threads differ from the client's own (RFC 8474). */
export function idSuffix(session: Session, account: Account): string {
  if (account === session.account) return "";
  const name = new TextEncoder().encode(account.name);
  return `_${Array.from(name, (b) => b.toString(16).padStart(2, "0")).join("").slice(0, 200)}`;
}
