/** Methods for messages in the account. @module */
import type { Log } from "../../log/mod.ts";
import type { Part } from "../../mail/structure/structure.ts";
import type { PackedFile } from "../../mail/transfer/uuencode.ts";
import type { Account } from "../../store/account/account.ts";
import { flagBit } from "../../store/mailboxes/keywords.ts";
import { type Message, StoreError } from "../../store/types.ts";
import { HttpError } from "../http/mod.ts";
import {
  type MessageContent,
  openContent,
  partPieces,
  pieceStream,
  rawPieces,
} from "../webmail/reading/content.ts";
import { packedFiles } from "../webmail/reading/packed_files.ts";
import { ApiError } from "./errors.ts";
import { messageForm, messageMeta, structureForm } from "./message_form.ts";

function notFound(cause?: unknown): ApiError {
  return new ApiError("messageNotFound", "there is no such message", { cause });
}

function find(account: Account, id: number): Message {
  const m = account.message(id);
  if (m === undefined) throw notFound();
  return m;
}

function open(account: Account, id: number): MessageContent {
  find(account, id);
  try {
    return openContent(account, id);
  } catch (cause) {
    if (cause instanceof HttpError || cause instanceof StoreError) throw notFound(cause);
    throw cause;
  }
}

export function messageGet(account: Account, id: number) {
  const c = open(account, id);
  try {
    return {
      Message: messageForm(account, c),
      Structure: structureForm(c),
      Meta: messageMeta(account, c),
    };
  } finally {
    c.close();
  }
}

/** An answer whose bytes are read at the client's pace. */
function bytesAnswer(
  pieces: Iterator<Uint8Array>,
  type: string,
  onEnd: () => void,
  log: Log,
): Response {
  return new Response(pieceStream(pieces, onEnd, log), {
    headers: {
      "Content-Type": type,
      "Cache-Control": "no-store",
      // A stranger's content must not become a page of this server.
      "Content-Disposition": "attachment",
      "Content-Security-Policy": "sandbox; default-src 'none'",
    },
  });
}

/** The unchanged message. `onEnd` is called when it was read completely, or reading was cancelled. */
export function messageRaw(account: Account, id: number, onEnd: () => void, log: Log): Response {
  const c = open(account, id);
  const end = () => {
    c.close();
    onEnd();
  };
  return bytesAnswer(rawPieces(c, 0, c.reader.size), "message/rfc822", end, log);
}

/** The part with the indices that lead to it. */
function partAt(root: Part, path: readonly number[]): Part | undefined {
  let part: Part | undefined = root;
  for (const i of path) {
    part = part?.message !== undefined && i === 0 ? part.message : part?.parts[i];
  }
  return part;
}

/** The file in a part: it has the index behind the part's own parts. */
function packedAt(content: MessageContent, path: readonly number[]): PackedFile | undefined {
  const holder = partAt(content.root, path.slice(0, -1));
  if (path.length === 0 || holder === undefined || holder.parts.length > 0) return undefined;
  for (const { part, files } of packedFiles(content)) {
    if (part === holder) return files[path.at(-1)!];
  }
  return undefined;
}

/** A decoded part, or a file inside one. */
export function messagePart(
  account: Account,
  id: number,
  path: readonly number[],
  onEnd: () => void,
  log: Log,
): Response {
  const c = open(account, id);
  const end = () => {
    c.close();
    onEnd();
  };
  const part = partAt(c.root, path);
  if (part !== undefined) {
    return bytesAnswer(partPieces(c, part), `${part.type}/${part.subtype}`, end, log);
  }
  const file = packedAt(c, path);
  if (file !== undefined) {
    return bytesAnswer([file.content].values(), "application/octet-stream", end, log);
  }
  c.close();
  throw new ApiError("partNotFound", "the message has no such part");
}

export async function messageDelete(account: Account, id: number): Promise<void> {
  const m = find(account, id);
  await account.expunge(m.mailboxId, [m.uid], undefined, { force: true });
}

export async function messageFlags(
  account: Account,
  id: number,
  op: "add" | "remove",
  flags: readonly string[],
): Promise<void> {
  const m = find(account, id);
  const bits = flags.reduce((all, f) => all | (flagBit(f) ?? 0), 0);
  const keywords = flags.filter((f) => flagBit(f) === undefined);
  try {
    await account.storeFlags(m.mailboxId, [m.uid], op, bits, keywords);
  } catch (cause) {
    if (cause instanceof StoreError) throw new ApiError("user", cause.message, { cause });
    throw cause;
  }
}

export async function messageMove(account: Account, id: number, name: string): Promise<void> {
  const m = find(account, id);
  const to = account.mailboxByName(name);
  if (to === undefined) {
    throw new ApiError("mailboxNotFound", `there is no mailbox ${JSON.stringify(name)}`);
  }
  if (to.id !== m.mailboxId) await account.move(m.mailboxId, [m.uid], to.id);
}
