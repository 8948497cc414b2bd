/** Messages sent with another account's address: their Sender field, and the owner's copy. @module */
import type { Config } from "../../config/mod.ts";
import { formatMailbox } from "../../mail/address/format.ts";
import type { AuthorAddress } from "../../mail/address/author.ts";
import { Log } from "../../log/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { Flag, SpecialUse } from "../../store/types.ts";

const log = new Log("submission");

/**
 * The Sender field for a message sent on somebody's behalf (RFC 5322 §3.6.2); "" for all others.
 * @param login address the user has logged in with; the account's first one if unknown
 */
export function behalfField(
  config: Config,
  account: string,
  from: readonly AuthorAddress[],
  login?: string,
): string {
  const behalf = from.some((a) => config.maySendAs(account, a.localpart, a.domain) === "behalf");
  if (!behalf) return "";
  const own = login !== undefined && config.accountFor(login) === account
    ? login
    : config.accountAddresses(account).find((a) => !a.startsWith("@")) ?? "";
  const at = own.lastIndexOf("@");
  if (at < 0) return "";
  const address = { localpart: own.slice(0, at), domain: own.slice(at + 1) };
  return `Sender: <${formatMailbox(address, { smtputf8: true })}>\r\n`;
}

/** A queued message, from which its owner's copy is made. */
interface SentMessage {
  senderAccount: string;
  /** The address in From. */
  author: string;
  file: string;
  fileSize: number;
  prefix: Uint8Array;
}

/** Puts a copy into the Sent mailbox of the account that owns From, if it is another one and wants copies. */
export async function copyToOwner(
  s: { config: Config; accounts?: Accounts },
  message: SentMessage,
): Promise<void> {
  const owner = s.config.accountFor(message.author);
  if (!s.accounts || owner === undefined || owner === message.senderAccount) return;
  if (!s.config.account(owner)?.SentCopies || !s.config.isHere(owner)) return;
  try {
    const account = await s.accounts.open(owner);
    try {
      const sent = account.mailboxBySpecialUse(SpecialUse.Sent);
      if (sent === undefined) return;
      await account.append(sent.id, [{
        file: message.file,
        fileSize: message.fileSize,
        fileSynced: true,
        prefix: message.prefix,
        flags: Flag.Seen,
        noTrain: true,
      }]);
    } finally {
      account.close();
    }
  } catch (err) {
    // The message is queued: a later failure must not look as if it weren't.
    log.error("copy for the owner of an address", { err: err as Error, account: owner });
  }
}
