/**
 * Export of mail: mailboxes as files, each a mailbox file or a Maildir, with flags, keywords and dates.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { FetchRow } from "../messages/row.ts";
import { statusFields, writeMboxMessage } from "../../mail/mbox/mbox.ts";
import type { Account } from "../account/account.ts";
import { exportPaths } from "./paths.ts";
import { deliveryOf } from "../messages/listing.ts";
import { indexName, specialUseName, type TransferIndex } from "../transfer_index.ts";
import { Flag, flagNames, type Mailbox, type MessageReader, Want } from "../types.ts";

export type ExportFormat = "mbox" | "maildir";

/** A file to export. */
export interface ExportFile {
  /** With "/" between levels; an empty folder's name ends in "/". */
  name: string;
  /** Bytes, if known before reading. */
  size?: number;
  /** Upper bound in bytes, where size isn't known. */
  atMost?: number;
  /** Milliseconds since the epoch; now if not given. */
  modified?: number;
  /** Read once, before the next file is requested. */
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** An exported message. */
interface ExportedMessage {
  id: number;
  flags: number;
  keywords: string[];
  /** Milliseconds. */
  received: number;
  size: number;
  /** The message's bytes, read on demand, before the next message is requested. */
  pieces(): Generator<Uint8Array>;
}

const pieceSize = 64 * 1024;

/**
 * The current messages of a mailbox, one after the other; messages removed meanwhile are left out. The file of
 * the current message is open, so that it stays complete even if it is expunged.
 * @param damaged called for messages whose file is missing or truncated; what is left of them is exported
 */
function* exportedMessages(
  account: Account,
  box: Mailbox,
  damaged: (text: string) => void,
): Generator<ExportedMessage> {
  for (const uid of account.uids(box.id)) {
    const row = messageRow(account, box.id, uid);
    if (row === undefined) continue;
    let reader: MessageReader;
    try {
      reader = account.openRow(row);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
      damaged(`${box.name}: message with UID ${uid} was left out, its file is missing`);
      continue;
    }
    const { size } = reader;
    if (size < row.size) {
      damaged(`${box.name}: message with UID ${uid} has only ${size} of ${row.size} bytes left`);
    }
    try {
      yield {
        id: row.id,
        flags: row.flags,
        keywords: row.keywords === "" ? [] : row.keywords.split(" "),
        received: row.received,
        size,
        *pieces() {
          for (let at = 0; at < size; at += pieceSize) {
            yield reader.read(at, Math.min(size, at + pieceSize));
          }
        },
      };
    } finally {
      reader.close();
    }
  }
}

/** A message's row, with copies of the data that fetch lends only for a moment. */
function messageRow(account: Account, mailboxId: MailboxId, uid: number) {
  let found;
  account.fetch(mailboxId, [uid], Want.Content, (row) => {
    const { id, emailId, prefix, size, flags, keywords, received } = row;
    found = { id, emailId, prefix, size, flags, keywords, received };
    return false;
  });
  return found as
    | Pick<FetchRow, "id" | "emailId" | "prefix" | "size" | "flags" | "keywords" | "received">
    | undefined;
}

const maildirLetters: readonly (readonly [number, string])[] = [
  [Flag.Draft, "D"],
  [Flag.Flagged, "F"],
  [Flag.Forwarded, "P"],
  [Flag.Answered, "R"],
  [Flag.Seen, "S"],
  [Flag.Deleted, "T"],
];

/** Name of a message's file in `cur`, without flags. */
function maildirName(message: ExportedMessage): string {
  return `${Math.floor(message.received / 1000)}.${message.id}.mox`;
}

/** Flags after a file's name, in alphabetical order. */
function maildirFlags(message: ExportedMessage, keywordLetters: readonly string[]): string {
  const letters = maildirLetters.filter(([bit]) => message.flags & bit).map(([, letter]) => letter);
  return `2,${[...letters, ...keywordLetters.toSorted()].join("")}`;
}

/** The keywords, and flags that are keywords in IMAP; Dovecot has no letter for $Forwarded. */
function maildirKeywords(message: ExportedMessage): string[] {
  return [
    ...flagNames.filter(([bit, name]) => message.flags & bit && name.startsWith("$")).map(([, n]) =>
      n
    ),
    ...message.keywords,
  ];
}

/** A message in mailbox file format. */
function mboxPieces(
  account: Account,
  message: ExportedMessage,
  before: string,
): AsyncGenerator<Uint8Array> {
  const names = flagNames.filter(([bit]) => message.flags & bit).map(([, name]) => name);
  const fields = statusFields(
    names.filter((n) => n.startsWith("\\")).map((n) => n.slice(1)),
    [...names.filter((n) => !n.startsWith("\\")), ...message.keywords],
  );
  return writeMboxMessage({
    sender: deliveryOf(account.db, message.id)?.mailFrom ?? "",
    date: new Date(message.received),
    fields: before + fields,
  }, message.pieces());
}

/** Lets other work run. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

export interface ExportOptions {
  /** Separates the name of a Maildir file from its flags; ":" except where names can't contain it. */
  separator?: string;
  /** Called for each message before it is read. */
  progress?: (mailbox: string, bytes: number) => void;
  /** Called for damaged messages; without it the file {@link errorsName} lists them at the end. */
  damaged?: (text: string) => void;
}

/** In an incomplete export: what is missing, one line each. */
export const errorsName = "export-errors.txt";

/**
 * The files of an export: for each mailbox a mailbox file or a Maildir, in folders like the mailboxes, and at
 * the end the list of mailboxes (transfer_index.ts).
 * @throws file errors
 */
export async function* exportFiles(
  account: Account,
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
  options: ExportOptions = {},
): AsyncGenerator<ExportFile> {
  const paths = exportPaths(mailboxes.map((m) => m.name));
  const index: TransferIndex = { version: 1, mailboxes: [], keywords: {} };
  const errors: string[] = [];
  const damaged = options.damaged ?? ((text) => void errors.push(text));
  for (const m of mailboxes) {
    const path = paths.get(m.name)! + (format === "mbox" ? ".mbox" : "");
    const specialUse = specialUseName(m.specialUse);
    index.mailboxes.push({ path, name: m.name, ...specialUse ? { specialUse } : {} });
    if (format === "maildir") yield* maildir(account, m, path, index, { ...options, damaged });
    else {
      const pieces = mbox(account, m, { ...options, damaged });
      // The lines around messages, and quotes in them.
      yield { name: path, atMost: Math.ceil(m.size * 1.2) + m.total * 5000, pieces };
    }
  }
  if (errors.length > 0) yield textFile(errorsName, errors.map((e) => `${e}\r\n`).join(""));
  yield textFile(indexName, JSON.stringify(index, undefined, 1));
}

function textFile(name: string, content: string): ExportFile {
  const bytes = new TextEncoder().encode(content);
  return { name, size: bytes.length, pieces: [bytes] };
}

type Exporting = ExportOptions & Required<Pick<ExportOptions, "damaged">>;

async function* mbox(
  account: Account,
  box: Mailbox,
  exporting: Exporting,
): AsyncGenerator<Uint8Array> {
  // Dovecot takes keywords only if the first message lists them.
  const keywords = flagNames.map(([, name]) => name).filter((n) => n.startsWith("$"));
  let before = `X-IMAPbase: ${box.uidValidity} 0000000000 ${
    [...keywords, ...box.keywords].join(" ")
  }\r\n`;
  for (const m of exportedMessages(account, box, exporting.damaged)) {
    exporting.progress?.(box.name, m.size);
    yield* mboxPieces(account, m, before);
    before = "";
    await turn();
  }
}

async function* maildir(
  account: Account,
  box: Mailbox,
  path: string,
  index: TransferIndex,
  exporting: Exporting,
): AsyncGenerator<ExportFile> {
  for (const kind of ["new", "tmp", "cur"]) yield { name: `${path}/${kind}/`, pieces: [] };
  // There are letters for 26 keywords.
  const letters = new Map<string, string>();
  for (const m of exportedMessages(account, box, exporting.damaged)) {
    exporting.progress?.(box.name, m.size);
    const own: string[] = [];
    const others: string[] = [];
    for (const k of maildirKeywords(m)) {
      if (!letters.has(k) && letters.size < 26) {
        letters.set(k, String.fromCharCode(97 + letters.size));
      }
      const letter = letters.get(k);
      if (letter) own.push(letter);
      else others.push(k);
    }
    const name = `${path}/cur/${maildirName(m)}`;
    if (others.length > 0) index.keywords[name] = others;
    yield {
      name: `${name}${exporting.separator ?? ":"}${maildirFlags(m, own)}`,
      size: m.size,
      modified: m.received,
      pieces: m.pieces(),
    };
    await turn();
  }
  if (letters.size > 0) {
    const lines = [...letters.keys()].map((k, i) => `${i} ${k}\n`);
    yield textFile(`${path}/dovecot-keywords`, lines.join(""));
  }
}
