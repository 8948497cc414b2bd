/** Running rules on stored messages: to see what they would do, and to do it. @module */
import type { MailboxId } from "../../../store/ids.ts";
import { accountMailboxes, localZone, serverEnvironment } from "../../../delivery/sieve/context.ts";
import { AddressLists } from "../../../delivery/sieve/lists.ts";
import { unpackStructure } from "../../../mail/structure/packed.ts";
import {
  executeSieveAsync,
  type SieveContext,
  SieveMail,
  type SieveProblem,
  type SieveResult,
  type SieveScript,
} from "../../../sieve/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { type FetchRow, Want } from "../../../store/types.ts";

/** A stored message with what rules want done. */
export interface Ran {
  id: number;
  uid: number;
  flags: number;
  keywords: string;
  from: string;
  subject: string;
  received: number;
  result: SieveResult;
}

/** What scripts can include. */
export interface Includes {
  hostname: string;
  include(name: string, where: "personal" | "global"): SieveScript | SieveProblem[] | undefined;
}

/** Runs a script on messages of a mailbox; each result is handed on in turn. */
export async function runOnMessages(
  account: Account,
  mailboxId: MailboxId,
  uids: Uint32Array,
  script: SieveScript,
  includes: Includes,
  each: (ran: Ran) => Promise<void> | void,
): Promise<void> {
  const keepMailbox = account.mailbox(mailboxId)?.name;
  for (let at = 0; at < uids.length; at += 20) {
    const rows: FetchRow[] = [];
    account.fetch(mailboxId, uids.subarray(at, at + 20), Want.Content | Want.Summary, (row) => {
      rows.push(row.kept());
    });
    for (const row of rows) {
      const result = await runOne(account, row, script, includes, keepMailbox);
      if (!result) continue;
      const { id, uid, flags, keywords, received, summary } = row;
      const from = summary.from[0]?.address ?? "";
      await each({ id, uid, flags, keywords, received, from, subject: summary.subject, result });
    }
    // Others have their turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function runOne(
  account: Account,
  row: FetchRow,
  script: SieveScript,
  includes: Includes,
  keepMailbox: string | undefined,
): Promise<SieveResult | undefined> {
  let reader;
  try {
    reader = account.openRow(row);
  } catch {
    // Its file is gone: there is nothing to look at.
    return undefined;
  }
  try {
    const shift = row.prefix.length;
    const opened = reader;
    const message = new SieveMail({
      prefix: row.prefix,
      size: Math.max(0, reader.size - shift),
      read: (from, to) => opened.read(from + shift, Math.max(from, to) + shift),
      root: unpackStructure(row.structure),
    });
    const first = (name: string) =>
      /[^\s<>,;:"]+@[^\s<>,;:"]+/.exec(message.values(name)[0] ?? "")?.[0];
    const lists = await AddressLists.of(account, [script]);
    const context: SieveContext = {
      message,
      envelope: { from: first("return-path") ?? "", to: first("delivered-to") },
      mailboxes: accountMailboxes(account),
      now: row.received,
      zone: localZone,
      environment: (name) => serverEnvironment(includes.hostname, name),
      inList: (list, value) => lists.has(list, value),
      include: includes.include,
      seen: () => false,
      spamScore: undefined,
      virus: undefined,
      isOwnAddress: () => false,
      keepMailbox,
      separators: ["+"],
    };
    return await executeSieveAsync([script], context);
  } finally {
    reader.close();
  }
}
