/**
 * Names of mailboxes as a client sees them: its own, and below "Other Users" those that others share; and the mailbox
 * behind a name.
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import { normalizeMailboxName } from "../../../store/mailboxes/mailboxes.ts";
import { type Listener, type Mailbox, StoreError } from "../../../store/types.ts";

/** Above the mailboxes of others; the next level is the name of their account. */
export const otherUsers = "Other Users";

/** Where changes come from: an account whose mailboxes the client uses. */
export interface Source {
  account: Account;
  listener: Listener;
  /** Prefix of the names of its mailboxes. */
  prefix: string;
  /** Mailboxes of another account that the client could look up when NOTIFY was set. */
  listed?: Set<number>;
}

/** A mailbox as this client may use it. */
export interface Place {
  account: Account;
  mailbox: Mailbox;
  /** As the client calls it. */
  name: string;
  /** What the client may do. */
  rights: string;
}

/** Account and name of another account's mailbox; undefined for the client's own names. */
export function splitShared(name: string): { owner: string; rest: string } | undefined {
  if (name.slice(0, otherUsers.length + 1).toLowerCase() !== `${otherUsers.toLowerCase()}/`) {
    return undefined;
  }
  const path = name.slice(otherUsers.length + 1);
  const slash = path.indexOf("/");
  return slash < 0
    ? { owner: path, rest: "" }
    : { owner: path.slice(0, slash), rest: path.slice(slash + 1) };
}

/** A name from a command in the server's spelling; an invalid one is left unchanged. */
export function canonicalName(name: string): string {
  const shared = splitShared(name);
  try {
    if (!shared || shared.rest === "") return normalizeMailboxName(name);
    return `${otherUsers}/${shared.owner}/${normalizeMailboxName(shared.rest)}`;
  } catch (err) {
    if (err instanceof StoreError) return name;
    throw err;
  }
}
