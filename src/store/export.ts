/**
 * Messages on their way out: as mailbox files and Maildirs, with flags, keywords and dates.
 *
 * @module
 */
import { statusFields, writeMboxMessage } from "../mail/mbox.ts";
import type { Account } from "./account.ts";
import { deliveryOf } from "./listing.ts";
import { Flag, flagNames, Want } from "./types.ts";

/** A message as it is exported. */
export interface ExportedMessage {
  id: number;
  flags: number;
  keywords: string[];
  /** Milliseconds. */
  received: number;
  /** The message's bytes, read as they are asked for. */
  pieces(): Generator<Uint8Array>;
}

const pieceSize = 256 * 1024;

/** The messages of a mailbox as it is now, one after the other; those that go meanwhile are left out. */
export function* exportedMessages(account: Account, mailboxId: number): Generator<ExportedMessage> {
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
            for (let at = 0; at < size; at += pieceSize) {
              yield reader.read(at, Math.min(size, at + pieceSize));
            }
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

const maildirLetters: readonly (readonly [number, string])[] = [
  [Flag.Draft, "D"],
  [Flag.Flagged, "F"],
  [Flag.Forwarded, "P"],
  [Flag.Answered, "R"],
  [Flag.Seen, "S"],
  [Flag.Deleted, "T"],
];

/** Name of a message's file in `cur`, flags in the order of the alphabet. */
export function maildirName(m: ExportedMessage, keywordLetters = ""): string {
  const letters = maildirLetters.filter(([bit]) => m.flags & bit).map(([, letter]) => letter).join(
    "",
  );
  return `${Math.floor(m.received / 1000)}.${m.id}.mox:2,${letters}${keywordLetters}`;
}

/** Names of flags that a Maildir has no letter for, and the keywords. */
export function maildirKeywords(m: ExportedMessage): string[] {
  const lettered = maildirLetters.reduce((bits, [bit]) => bits | bit, 0);
  return [
    ...flagNames.filter(([bit]) => m.flags & bit & ~lettered).map(([, name]) => name),
    ...m.keywords,
  ];
}

/** A message as it stands in a mailbox file. */
export function mboxPieces(account: Account, m: ExportedMessage): AsyncGenerator<Uint8Array> {
  const names = flagNames.filter(([bit]) => m.flags & bit).map(([, name]) => name);
  const fields = statusFields(
    names.filter((n) => n.startsWith("\\")).map((n) => n.slice(1)),
    [...names.filter((n) => !n.startsWith("\\")), ...m.keywords],
  );
  return writeMboxMessage({
    sender: deliveryOf(account.db, m.id)?.mailFrom ?? "",
    date: new Date(m.received),
    fields,
  }, m.pieces());
}
