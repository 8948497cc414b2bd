/** Mailboxes as a file to take away: a zip archive with an mbox file or a Maildir of each. @module */
import type { Account } from "../../store/account.ts";
import { exportedMessages, maildirName, mboxPieces } from "../../store/export.ts";
import type { Mailbox } from "../../store/types.ts";
import { UserError } from "../http/mod.ts";
import { writeZip, type ZipEntry } from "./zip.ts";

/** Bytes of an archive: beyond 4 GB many programs can't read one. */
const maxArchive = 3.8e9;

export type ExportFormat = "mbox" | "maildir";

/** The mailboxes to export: one with those below it, or all. */
export function exportMailboxes(account: Account, mailboxId: number | undefined): Mailbox[] {
  const all = account.mailboxes();
  const top = all.find((m) => m.id === mailboxId);
  if (mailboxId !== undefined && top === undefined) throw new UserError("this mailbox is gone");
  const chosen = top === undefined
    ? all
    : all.filter((m) => m === top || m.name.startsWith(`${top.name}/`));
  if (chosen.reduce((n, m) => n + m.size, 0) > maxArchive) {
    throw new UserError(
      "too large for one archive: export single mailboxes, or use the command mox export",
    );
  }
  return chosen;
}

/** The archive, in pieces. */
export function exportArchive(
  account: Account,
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
): AsyncGenerator<Uint8Array> {
  return writeZip(entries(account, mailboxes, format));
}

async function* entries(
  account: Account,
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
): AsyncGenerator<ZipEntry> {
  for (const m of mailboxes) {
    const name = m.name.replaceAll("\\", "_");
    if (format === "mbox") {
      yield { name: `${name}.mbox`, pieces: mbox(account, m.id) };
      continue;
    }
    for (const kind of ["new", "tmp", "cur"]) yield { name: `${name}/${kind}/`, pieces: [] };
    for (const message of exportedMessages(account, m.id)) {
      yield {
        name: `${name}/cur/${maildirName(message)}`,
        pieces: { [Symbol.iterator]: () => message.pieces() },
      };
      // Others are served in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

async function* mbox(account: Account, mailboxId: number): AsyncGenerator<Uint8Array> {
  for (const m of exportedMessages(account, mailboxId)) {
    yield* mboxPieces(account, m);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
