/** The parts of an account that a script sees: its mailboxes, addresses, history. @module */
import { asMailboxId, type MailboxId, noMailbox } from "../../store/ids.ts";
import { specialUseNames } from "../../store/types.ts";
import type { Account } from "../../store/account/account.ts";
import type { MailboxFacts, SieveMailboxes } from "../../sieve/mod.ts";
import { programVersion } from "../../platform/version.ts";
import { accountHistory } from "../../store/messages/history.ts";

const utf8 = new TextDecoder();

/** Mailboxes of an account. Their ids are those of IMAP (RFC 8474). */
export function accountMailboxes(account: Account): SieveMailboxes {
  const facts = (m: { id: number; name: string; specialUse: number }): MailboxFacts => ({
    name: m.name,
    id: mailboxIdText(m.id),
    specialUses: specialUseNames.filter(([bit]) => m.specialUse & bit).map(([, name]) => name),
  });
  return {
    byName(name) {
      const m = account.mailboxByName(name);
      return m && facts(m);
    },
    byId(id) {
      const n = mailboxIdOf(id);
      const m = n === undefined ? undefined : account.mailbox(n);
      return m && facts(m);
    },
    bySpecialUse(use) {
      const bit = specialUseNames.find(([, name]) => name.toLowerCase() === use.toLowerCase())?.[0];
      const m = bit === undefined ? undefined : account.mailboxBySpecialUse(bit);
      return m && facts(m);
    },
    annotation(mailbox, name) {
      const id = mailbox === "" ? noMailbox : account.mailboxByName(mailbox)?.id;
      if (id === undefined) return undefined;
      const found = account.annotations.list(id).find((a) => a.key === name.toLowerCase());
      return found && utf8.decode(found.value);
    },
  };
}

/** MAILBOXID of a mailbox. */
export function mailboxIdText(id: number): string {
  return `M${id}`;
}

export function mailboxIdOf(text: string): MailboxId | undefined {
  return /^M[1-9][0-9]{0,14}$/.test(text) ? asMailboxId(Number(text.slice(1))) : undefined;
}

/** Names of the address book (RFC 6134 §2.7). */
const addressBooks = new Set([
  ":addrbook:default",
  "urn:ietf:params:sieve:addrbook:default",
  "addrbook:default",
]);

/** Whether the account has written to an address; undefined for unknown lists. */
export function inAddressBook(
  account: Account,
  list: string,
  address: string,
): boolean | undefined {
  if (!addressBooks.has(list.toLowerCase())) return undefined;
  const at = address.lastIndexOf("@");
  if (at < 1) return false;
  const query = { localpart: address.slice(0, at), domain: address.slice(at + 1).toLowerCase() };
  return accountHistory(account.db).sentTo(query, 0);
}

/** Items of the environment (RFC 5183 §4.1) that are the same for all messages. */
export function serverEnvironment(hostname: string, name: string): string | undefined {
  switch (name) {
    case "domain":
      return hostname.slice(hostname.indexOf(".") + 1);
    case "host":
      return hostname;
    case "location":
      return "MDA";
    case "phase":
      return "during";
    case "name":
      return "mox";
    case "version":
      return programVersion;
    default:
      return undefined;
  }
}

/** The server's time zone in minutes east of Greenwich. */
export function localZone(time: number): number {
  return -new Date(time).getTimezoneOffset();
}
