/** Recipients of sent messages, for the sender's address book (KeepWrittenTo). @module */
import type { Config } from "../../config/mod.ts";
import { noteWritten, type Written } from "../../groupware/written_to.ts";
import { Log } from "../../log/mod.ts";
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { headerText, splitHeader } from "../../mail/header/header.ts";
import type { Accounts } from "../../store/account/accounts.ts";

const log = new Log("submission");
/** Bytes of a header that are read. */
const maxHeader = 64 * 1024;

interface SentMessage {
  senderAccount: string;
  recipients: readonly { address: string }[];
  file: string;
}

/** The first bytes of a file. */
async function start(file: string): Promise<Uint8Array> {
  using f = await Deno.open(file);
  const bytes = new Uint8Array(maxHeader);
  let length = 0;
  while (length < bytes.length) {
    const n = await f.read(bytes.subarray(length));
    if (n === null) break;
    length += n;
  }
  return bytes.subarray(0, length);
}

/** Records the recipients of a queued message, if its account wants that. Never fails. */
export async function noteRecipients(
  s: { config: Config; accounts?: Accounts },
  message: SentMessage,
): Promise<void> {
  if (s.accounts === undefined || !s.config.account(message.senderAccount)?.KeepWrittenTo) return;
  if (!s.config.isHere(message.senderAccount)) return;
  try {
    const fields = splitHeader(await start(message.file));
    const names = new Map<string, string>();
    for (const name of ["to", "cc"]) {
      for (const a of flattenAddresses(parseAddressList(headerText(fields, name) ?? ""))) {
        names.set(`${a.localpart}@${a.domain}`.toLowerCase(), a.name);
      }
    }
    const people: Written[] = message.recipients.filter(({ address }) =>
      s.config.accountFor(address) !== message.senderAccount
    ).map(({ address }) => ({ address, name: names.get(address.toLowerCase()) ?? "" }));
    const account = await s.accounts.open(message.senderAccount);
    try {
      await noteWritten(await account.groupware(), people);
    } finally {
      account.close();
    }
  } catch (err) {
    // The message is queued.
    log.error("the people written to can't be noted", {
      err: err as Error,
      account: message.senderAccount,
    });
  }
}
