/** Mailboxes as a file to take away: a zip archive with an mbox file or a Maildir of each. @module */
import { statusFields, writeMboxMessage } from "../../mail/mbox.ts";
import type { Account } from "../../store/account.ts";
import { deliveryOf } from "../../store/listing.ts";
import { Flag, flagNames, type Mailbox, Want } from "../../store/types.ts";
import { UserError } from "../http/mod.ts";
import { rawPieces } from "./content.ts";
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
    for (const message of messages(account, m.id)) {
      yield {
        name: `${name}/cur/${Math.floor(message.received / 1000)}.${message.id}.mox:2,${
          maildirFlags(message.flags)
        }`,
        pieces: { [Symbol.iterator]: () => message.pieces() },
      };
      // Others are served in between.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

interface ExportedMessage {
  id: number;
  flags: number;
  keywords: string[];
  received: number;
  pieces(): Generator<Uint8Array>;
}

/** The messages of a mailbox as it is now, one after the other; those that go meanwhile are left out. */
function* messages(account: Account, mailboxId: number): Generator<ExportedMessage> {
  for (const uid of account.uids(mailboxId)) {
    let found: ExportedMessage | undefined;
    account.fetch(mailboxId, [uid], Want.Content, (row) => {
      const { id, emailId, prefix, size } = row;
      found = {
        id,
        flags: row.flags,
        keywords: row.keywords === "" ? [] : row.keywords.split(" "),
        received: row.received,
        *pieces() {
          const reader = account.openRow({ emailId, prefix, size });
          try {
            yield* rawPieces({ reader }, 0, size);
          } finally {
            reader.close();
          }
        },
      };
      return false;
    });
    if (found !== undefined) yield found;
  }
}

/** Letters in the order of the alphabet, as the Maildir format asks for. */
function maildirFlags(flags: number): string {
  const letters: [number, string][] = [
    [Flag.Draft, "D"],
    [Flag.Flagged, "F"],
    [Flag.Forwarded, "P"],
    [Flag.Answered, "R"],
    [Flag.Seen, "S"],
    [Flag.Deleted, "T"],
  ];
  return letters.filter(([bit]) => flags & bit).map(([, letter]) => letter).join("");
}

async function* mbox(account: Account, mailboxId: number): AsyncGenerator<Uint8Array> {
  for (const m of messages(account, mailboxId)) {
    const names = flagNames.filter(([bit]) => m.flags & bit).map(([, name]) => name);
    const fields = statusFields(
      names.filter((n) => n.startsWith("\\")).map((n) => n.slice(1)),
      [...names.filter((n) => !n.startsWith("\\")), ...m.keywords],
    );
    yield* writeMboxMessage(
      {
        sender: deliveryOf(account.db, m.id)?.mailFrom ?? "",
        date: new Date(m.received),
        fields,
      },
      m.pieces(),
    );
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
