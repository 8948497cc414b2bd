/** Mailboxes as a file to take away: a zip or tgz archive with an mbox file or a Maildir of each. @module */
import type { Account } from "../../store/account.ts";
import { exportedMessages, maildirKeywords, maildirName, mboxPieces } from "../../store/export.ts";
import type { Mailbox } from "../../store/types.ts";
import { UserError } from "../http/mod.ts";
import { writeTgz } from "./tgz.ts";
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
  kind: "zip" | "tgz" = "zip",
): AsyncGenerator<Uint8Array> {
  const all = entries(account, mailboxes, format);
  return kind === "tgz" ? writeTgz(all) : writeZip(all);
}

async function* entries(
  account: Account,
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
): AsyncGenerator<ZipEntry> {
  for (const m of mailboxes) {
    const name = m.name.replaceAll("\\", "_");
    if (format === "mbox") {
      const pieces = { [Symbol.asyncIterator]: () => mbox(account, m.id) };
      yield { name: `${name}.mbox`, pieces };
      continue;
    }
    for (const kind of ["new", "tmp", "cur"]) yield { name: `${name}/${kind}/`, pieces: [] };
    const letters = new Map<string, string>();
    for (const message of exportedMessages(account, m.id)) {
      let own = "";
      for (const k of maildirKeywords(message)) {
        // There are letters for 26 keywords.
        if (!letters.has(k) && letters.size < 26) {
          letters.set(k, String.fromCharCode(97 + letters.size));
        }
        own += letters.get(k) ?? "";
      }
      yield {
        name: `${name}/cur/${maildirName(message, [...own].sort().join(""))}`,
        modified: message.received,
        pieces: { [Symbol.iterator]: () => message.pieces() },
      };
      // Others are served in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (letters.size > 0) {
      const lines = [...letters.keys()].map((k, i) => `${i} ${k}\n`).join("");
      yield { name: `${name}/dovecot-keywords`, pieces: [new TextEncoder().encode(lines)] };
    }
  }
}

async function* mbox(account: Account, mailboxId: number): AsyncGenerator<Uint8Array> {
  for (const m of exportedMessages(account, mailboxId)) {
    yield* mboxPieces(account, m);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
