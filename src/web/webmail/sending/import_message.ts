/** A message that was dropped on the page, put into a mailbox. @module */
import type { Account } from "../../../store/account/account.ts";
import { removeFile, writeTempFile } from "../../../platform/files.ts";
import { splitHeader } from "../../../mail/header/header.ts";
import type { MailboxId } from "../../../store/ids.ts";
import { permittedFlags } from "../../../store/messages/flag_rights.ts";
import { Flag, type Message } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import type { Uploads } from "./uploads.ts";

/** Bytes of its beginning that have to look like a header. */
const looked = 64 * 1024;
const usual = /^(?:from|to|subject|date|message-id|received|return-path|mime-version)$/;

/**
 * @param user name of the account that has uploaded it
 * @param to where it goes, and what may be done there
 * @throws UserError for what is no message. @returns the message
 */
export async function importMessage(
  user: string,
  uploads: Uploads,
  uploadId: string,
  to: { account: Account; mailboxId: MailboxId; rights: string },
  tempDir: string,
): Promise<Message> {
  const f = uploads.get(user, uploadId);
  const file = await Deno.open(f.path, { read: true });
  const start = new Uint8Array(Math.min(f.size, looked));
  try {
    for (let at = 0; at < start.length;) at += await file.read(start.subarray(at)) ?? start.length;
  } finally {
    file.close();
  }
  if (!splitHeader(start).slice(0, 50).some((h) => usual.test(h.name))) {
    throw new UserError(`${f.filename} is not a message`);
  }
  const { path, size } = await withLineEnds(f.path, tempDir);
  try {
    const [m] = await to.account.append(to.mailboxId, [permittedFlags(to.rights, {
      file: path,
      fileSize: size,
      fileSynced: true,
      prefix: new Uint8Array(0),
      flags: Flag.Seen,
      noTrain: true,
    })]);
    uploads.remove(user, uploadId);
    return m;
  } finally {
    removeFile(path);
  }
}

/** A synced copy in which each line ends in CRLF, as in all mail (RFC 5322 §2.1). The caller removes it. */
async function withLineEnds(from: string, dir: string): Promise<{ path: string; size: number }> {
  using source = await Deno.open(from, { read: true });
  return await writeTempFile(dir, "import-", piecesWithLineEnds(source));
}

async function* piecesWithLineEnds(source: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(96 * 1024);
  let before = 0;
  for (let n = await source.read(buffer); n !== null; n = await source.read(buffer)) {
    const out = new Uint8Array(2 * n);
    let length = 0;
    for (const c of buffer.subarray(0, n)) {
      if (c === 10 && before !== 13) out[length++] = 13;
      out[length++] = c;
      before = c;
    }
    yield out.subarray(0, length);
  }
}
