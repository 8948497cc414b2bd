/**
 * Mail of other accounts that was shared with a user (RFC 4314): which there is, and what the user may do with it.
 * Rights are looked up each time, as they can be taken away while a page is open.
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import { asMailboxId, type MailboxId } from "../../../store/ids.ts";
import { allRights, effectiveRights, sharedMailboxIds } from "../../../store/mailboxes/rights.ts";
import { placesOf } from "../../../store/messages/listing.ts";
import { type Mailbox, StoreError } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import type { WebmailServices } from "../services.ts";
import { baseOf, idThere, numberOf } from "./ids.ts";
import { ownerWithNumber } from "./numbers.ts";

/** An account's mail as a user may use it: their own, or another's. */
export interface Mail {
  account: Account;
  /** What the ids of the page have in addition; 0 for the own. */
  base: number;
  /** The user's rights on a mailbox; "" for one that the user may not know of. */
  rights(mailboxId: MailboxId): string;
  /** Releases the account. */
  release(): void;
}

export type MailServices = Pick<WebmailServices, "accounts" | "config" | "owners">;

/** Accounts that are asked for what they share. */
export const maxOwners = 50;

/** Accounts that may share mail with a user and are on this server. */
export function mailOwners({ owners, config }: MailServices, user: string): string[] {
  return (owners?.(user) ?? []).filter((o) => config.isHere(o)).slice(0, maxOwners);
}

/** The user's own mail; nothing has to be released. */
export function ownMail(account: Account): Mail {
  return { account, base: 0, rights: () => allRights, release: () => {} };
}

/** Opens the mail of another account. Undefined if the account no longer exists. */
export async function othersMail(
  { accounts }: MailServices,
  user: string,
  owner: string,
  number: number,
): Promise<Mail | undefined> {
  try {
    const account = await accounts.open(owner);
    return {
      account,
      base: baseOf(number),
      rights: (mailboxId) => effectiveRights(account, mailboxId, user),
      release: () => account.close(),
    };
  } catch (err) {
    // Removed since, or moving to another node.
    if (err instanceof StoreError && (err.code === "accountMissing" || err.code === "busy")) {
      return undefined;
    }
    throw err;
  }
}

/** Opens the mail that something with an id of the page belongs to. @throws HttpError 404 if none is shared there */
async function mailWith(
  services: MailServices,
  user: Account,
  id: number,
  what: string,
): Promise<Mail> {
  const number = numberOf(id);
  if (number === 0) return ownMail(user);
  const owner = ownerWithNumber(user, number);
  if (owner === undefined || !mailOwners(services, user.name).includes(owner)) throw missing(what);
  const mail = await othersMail(services, user.name, owner, number);
  if (mail === undefined) throw missing(what);
  return mail;
}

/**
 * Works with the mail that something with an id of the page belongs to.
 * @param fn gets the id as the account has it
 * @throws HttpError 404
 */
export async function inMail<T>(
  services: MailServices,
  user: Account,
  id: number,
  what: string,
  fn: (mail: Mail, id: number) => T | Promise<T>,
): Promise<T> {
  const mail = await mailWith(services, user, id, what);
  try {
    return await fn(mail, idThere(id));
  } finally {
    mail.release();
  }
}

/** The same for what goes on after the answer; whoever gets it gives it back. @throws HttpError 404 */
export async function openMail(
  services: MailServices,
  user: Account,
  id: number,
  what: string,
): Promise<{ mail: Mail; id: number }> {
  return { mail: await mailWith(services, user, id, what), id: idThere(id) };
}

/** Whether the user may read the messages of a mailbox. */
export const mayRead = (mail: Mail) => (mailboxId: MailboxId): boolean =>
  mail.rights(mailboxId).includes("r");

/** @throws HttpError 404 unless the message is there, where the user may read it */
export function requireReadable(mail: Mail, id: number): void {
  const [m] = placesOf(mail.account.db, [id]);
  if (m === undefined || !mayRead(mail)(m.mailboxId)) throw missing("message");
}

const rightWords: Record<string, string> = {
  r: "read it",
  s: "mark messages in it as read or unread",
  w: "change flags in it",
  i: "put messages into it",
  t: "remove messages from it",
  e: "remove messages from it",
};

/** @throws UserError unless the user has all of the rights, HttpError 404 for a mailbox that can't be looked up */
export function requireRights(mail: Mail, mailboxId: MailboxId, letters: string): void {
  const rights = mail.rights(mailboxId);
  const lacks = [...letters].find((l) => !rights.includes(l));
  if (lacks === undefined) return;
  const m = mail.account.mailbox(mailboxId);
  if (m === undefined || !/[lr]/.test(rights)) throw missing("mailbox");
  throw new UserError(`${m.name} is shared with you, but you may not ${rightWords[lacks]}`);
}

/** The mailbox, with rights. @throws HttpError 404, UserError */
export function mailboxFor(mail: Mail, id: number, letters: string): Mailbox {
  const m = mail.account.mailbox(asMailboxId(id));
  if (m === undefined) throw missing("mailbox");
  requireRights(mail, m.id, letters);
  return m;
}

/** Mailboxes of another account that a user may look up or read. */
export function sharedMailboxes(mail: Mail): { mailbox: Mailbox; rights: string }[] {
  const ids = sharedMailboxIds(mail.account.db);
  if (ids.size === 0) return [];
  return mail.account.mailboxes().filter((m) => ids.has(m.id))
    .map((mailbox) => ({ mailbox, rights: mail.rights(mailbox.id) }))
    .filter(({ rights }) => rights.includes("l"));
}

/** What only works with the user's own mail. @throws UserError */
export function requireOwn(mail: Mail, what: string): void {
  if (mail.base !== 0) throw new UserError(`${what} works only with your own mail`);
}
