/** Filing a message as a script requests: mailbox, flags, changed header. @module */
import { readRange, withTempFile } from "../../platform/files.ts";
import type { Action, Edited, Filing, MessagePiece } from "../../sieve/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { flagBit } from "../../store/mailboxes/keywords.ts";
import { type Message, type NewMessage, StoreError } from "../../store/types.ts";
import { accountMailboxes } from "./context.ts";
import { joined } from "../../platform/bytes.ts";

/** A message to file. */
export interface DeliveryOf {
  account: Account;
  /** As received. */
  stored: NewMessage;
  /** The mailbox of keep. */
  keepMailbox: string;
  tempDir: string;
}

/** Flags in bits and keywords. */
export function flagsOf(
  names: readonly string[] | undefined,
): { flags: number; keywords: string[] } {
  let flags = 0;
  const keywords: string[] = [];
  for (const n of names ?? []) {
    const bit = flagBit(n);
    if (bit !== undefined) flags |= bit;
    else keywords.push(n.toLowerCase());
  }
  return { flags, keywords };
}

/** Name of the intended mailbox: by id, special use, then name (RFC 9042, 8579). */
export function mailboxFor(account: Account, filing: Filing): string {
  const boxes = accountMailboxes(account);
  const byId = filing.mailboxId === undefined ? undefined : boxes.byId(filing.mailboxId);
  const byUse = filing.specialUse === undefined ? undefined : boxes.bySpecialUse(filing.specialUse);
  return (byId ?? byUse)?.name ?? filing.mailbox;
}

function piecesBytes(stored: NewMessage, pieces: readonly MessagePiece[]): Uint8Array {
  const read = (from: number, to: number): Uint8Array => {
    if (stored.read) return stored.read(from, to);
    const file = Deno.openSync(stored.file);
    try {
      return readRange(file, from, to);
    } finally {
      file.close();
    }
  };
  return joined(pieces.map((p) => p instanceof Uint8Array ? p : read(p.from, p.to)));
}

/** Calls the function with a file of the changed message; undefined if it wasn't changed. */
export async function withEdited<T>(
  d: DeliveryOf,
  edited: Edited,
  fn: (file: { file: string; fileSize: number } | undefined) => Promise<T>,
): Promise<T> {
  if (!edited) return await fn(undefined);
  const bytes = piecesBytes(d.stored, edited);
  return await withTempFile(
    d.tempDir,
    "sieve-",
    bytes,
    (file) => fn({ file, fileSize: bytes.length }),
  );
}

/**
 * Files a message; a missing mailbox is created. With an invalid mailbox name, the message goes to the mailbox
 * of keep.
 * @param incoming false for a copy of a message that a script sends: it has no sender to record
 * @throws StoreError "overQuota" and other store errors
 */
export function fileMessage(
  d: DeliveryOf,
  extract: Extract<Action, { kind: "keep" | "fileinto" }>,
  incoming = true,
): Promise<{ message: Message; mailbox: string; note: string }> {
  const names = extract.kind === "keep" ? extract.flags : extract.filing.flags;
  const flags = flagsOf(names);
  const mailbox = extract.kind === "keep" ? d.keepMailbox : mailboxFor(d.account, extract.filing);
  return withEdited(d, extract.edited, async (file) => {
    const stored: NewMessage = file
      ? {
        ...file,
        prefix: new Uint8Array(0),
        received: d.stored.received,
        facts: incoming ? d.stored.facts : undefined,
        noTrain: !incoming,
        ...flags,
      }
      : {
        ...d.stored,
        flags: flags.flags,
        keywords: [...d.stored.keywords ?? [], ...flags.keywords],
      };
    try {
      return { message: await d.account.deliver(mailbox, stored), mailbox, note: "" };
    } catch (err) {
      const bad = err instanceof StoreError &&
        /^(?:mailboxName|tooManyKeywords|keyword)$/.test(err.code);
      if (!bad) throw err;
      const message = await d.account.deliver(d.keepMailbox, { ...stored, keywords: [] });
      return { message, mailbox: d.keepMailbox, note: `, as ${err.message}` };
    }
  });
}
