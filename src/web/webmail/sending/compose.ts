/** From what the compose window holds to a message file. @module */
import type { Attach, Composition } from "../../../../webmail/api/mod.ts";
import {
  addressField,
  composePart,
  foldField,
  parameters,
  textField,
} from "../../../mail/compose.ts";
import { textPart } from "../../../mail/text_part.ts";
import { AddressError, type WrittenAddress } from "../../../mail/address/format.ts";
import { formatDate } from "../../../mail/header/date.ts";
import type { Account } from "../../../store/account/account.ts";
import { writeTempFile } from "../../../platform/files.ts";
import { type ListedMessage, listedMessage } from "../../../store/messages/listing.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import { type MessageContent, openContent, partPieces, rawPieces } from "../reading/content.ts";
import { missing } from "../errors.ts";
import type { Mail } from "../others/mail.ts";
import { type MimeNode, mimePieces } from "../reading/mime_tree.ts";
import { packedFile, packedFileType } from "../reading/packed_files.ts";
import { fileNameOf, partByPath } from "../reading/parts.ts";
import { needsUtf8 } from "./recipients.ts";
import { fileType, type Uploads } from "./uploads.ts";

/** Message-IDs of References, the root and the newest. */
const maxReferences = 30;

/** A message that was written. */
export interface ComposedMessage {
  path: string;
  size: number;
  messageId: string;
  /** Some address or header needs SMTPUTF8. */
  smtputf8: boolean;
  has8bit: boolean;
}

export interface ComposeContext {
  account: Account;
  uploads: Uploads;
  tempDir: string;
  hostname: string;
  maxMessageSize: number;
  /**
   * Opens the mail that a message of the page is in, which may be another account's. Whoever gets it gives it back.
   * @throws HttpError 404 for what the user may not read
   */
  mailWith(id: number): Promise<{ mail: Mail; id: number }>;
}

/** An answer to an invitation. */
export interface CalendarPart {
  method: "REPLY";
  /** As RFC 5545 writes it. */
  text: string;
}

/** Addresses of a message's header. */
export interface HeaderAddresses {
  from: WrittenAddress[];
  to: WrittenAddress[];
  cc: WrittenAddress[];
  bcc: WrittenAddress[];
  replyTo: WrittenAddress[];
}

/** The message that is answered, if it is still there. */
async function answered(ctx: ComposeContext, id: number): Promise<ListedMessage | undefined> {
  try {
    const opened = await ctx.mailWith(id);
    const found = listedMessage(opened.mail.account.db, opened.id);
    opened.mail.release();
    return found;
  } catch (err) {
    if (err instanceof HttpError && err.status === 404) return undefined;
    throw err;
  }
}

/** In-Reply-To and References of an answer. */
async function threadFields(ctx: ComposeContext, inReplyTo: number | null): Promise<string[]> {
  const parent = inReplyTo === null ? undefined : await answered(ctx, inReplyTo);
  const id = parent?.summary.messageId ?? "";
  // A forged id must not be able to start another field, nor be longer than a line.
  const clean = (s: string) => /^[\x21-\x3b\x3d\x3f-\x7e]{1,400}$/.test(s);
  if (parent === undefined || !clean(id)) return [];
  const before = parent.summary.references.filter((r) => r !== id && clean(r));
  const kept = before.length < maxReferences
    ? before
    : [before[0], ...before.slice(1 - maxReferences)];
  return [
    foldField("In-Reply-To", `<${id}>`),
    foldField("References", [...kept, id].map((r) => `<${r}>`).join(" ")),
  ];
}

/** Bcc, which stands only in copies that the sender keeps. */
export function bccField(addresses: HeaderAddresses): string {
  return addresses.bcc.length === 0
    ? ""
    : addressField("Bcc", addresses.bcc, { smtputf8: headerNeedsUtf8(addresses) });
}

function headerNeedsUtf8(addresses: HeaderAddresses): boolean {
  return [addresses.from, addresses.to, addresses.cc, addresses.bcc, addresses.replyTo].flat().some(
    needsUtf8,
  );
}

/**
 * Writes the message into a temporary file, synced. The caller removes it.
 * @param more fields of the header besides the usual ones
 * @param messageId without <>
 * @throws UserError, HttpError 404 for files that are gone, 413 for a message that is too large
 */
export async function composeMessage(
  ctx: ComposeContext,
  composition: Composition,
  addresses: HeaderAddresses,
  more: readonly string[] = [],
  messageId = `${crypto.randomUUID()}@${ctx.hostname}`,
  calendar?: CalendarPart,
): Promise<ComposedMessage> {
  const smtputf8 = headerNeedsUtf8(addresses);
  const fields = headerOf(
    composition,
    addresses,
    smtputf8,
    messageId,
    await threadFields(ctx, composition.inReplyTo),
  );
  const open: MessageContent[] = [];
  try {
    const files: AttachedFile[] = [];
    for (const a of composition.attachments) files.push(await attachedNode(ctx, a, open));
    const root = await bodyTree(
      composition,
      files.filter((f) => f.cid !== ""),
      files.filter((f) => f.cid === ""),
    );
    const tree = calendar === undefined ? root : withCalendar(root, calendar);
    const pieces = mimePieces(tree, [...fields, ...more]);
    const { path, size } = await writeTempFile(ctx.tempDir, "compose-", pieces, {
      size: ctx.maxMessageSize,
      exceeded: () =>
        new HttpError(
          413,
          `the message is too large: with its attachments encoded it may have ${ctx.maxMessageSize} bytes`,
        ),
    });
    const has8bit = smtputf8 || files.some((f) => f.has8bit);
    return { path, size, messageId, smtputf8, has8bit };
  } finally {
    for (const o of open) o.close();
  }
}

function headerOf(
  composition: Composition,
  addresses: HeaderAddresses,
  smtputf8: boolean,
  messageId: string,
  thread: string[],
): string[] {
  try {
    const fields = [addressField("From", addresses.from, { smtputf8 })];
    if (addresses.to.length > 0) fields.push(addressField("To", addresses.to, { smtputf8 }));
    if (addresses.cc.length > 0) fields.push(addressField("Cc", addresses.cc, { smtputf8 }));
    // RFC 5322 §3.6: some field of recipients must be there.
    if (addresses.to.length + addresses.cc.length === 0) {
      fields.push("To: undisclosed-recipients:;\r\n");
    }
    if (addresses.replyTo.length > 0) {
      fields.push(addressField("Reply-To", addresses.replyTo, { smtputf8 }));
    }
    fields.push(
      textField("Subject", composition.subject, { smtputf8 }),
      foldField("Date", formatDate(new Date())),
      foldField("Message-ID", `<${messageId}>`),
      ...thread,
      foldField("MIME-Version", "1.0"),
    );
    return fields;
  } catch (err) {
    if (!(err instanceof AddressError)) throw err;
    throw new UserError(`${err.address}: ${err.message}`, { cause: err });
  }
}

/** A text and what a calendar makes of it (RFC 6047 §2.4). */
function withCalendar(text: MimeNode, { method, text: calendar }: CalendarPart): MimeNode {
  const entity = composePart({
    type: "text/calendar",
    params: { charset: "utf-8", method },
    data: new TextEncoder().encode(calendar),
  });
  return { multipart: "alternative", parts: [text, { entity }] };
}

interface AttachedFile {
  node: MimeNode;
  cid: string;
  has8bit: boolean;
}

async function bodyTree(
  composition: Composition,
  inline: AttachedFile[],
  attached: AttachedFile[],
): Promise<MimeNode> {
  let body: MimeNode = await textPart("text/plain", composition.text);
  if (composition.html !== null) {
    const html = await textPart("text/html", composition.html);
    const shown: MimeNode = inline.length === 0
      ? html
      : { multipart: "related", parts: [html, ...inline.map((f) => f.node)] };
    body = { multipart: "alternative", parts: [body, shown] };
  } else {
    attached = [...inline, ...attached];
  }
  return attached.length === 0
    ? body
    : { multipart: "mixed", parts: [body, ...attached.map((f) => f.node)] };
}

/** Opens a message that is attached, or of which a part is. */
async function attachedContent(
  ctx: ComposeContext,
  messageId: number,
): Promise<{ content: MessageContent; subject: string }> {
  const { mail, id } = await ctx.mailWith(messageId);
  try {
    const content = openContent(mail.account, id);
    const subject = listedMessage(mail.account.db, id)?.summary.subject ?? "";
    const close = () => {
      content.close();
      mail.release();
    };
    return { content: { ...content, close }, subject };
  } catch (err) {
    mail.release();
    throw err;
  }
}

/** Reads what is attached: the file is opened now, so that nothing can go before it is read. */
async function attachedNode(
  ctx: ComposeContext,
  attach: Attach,
  open: MessageContent[],
): Promise<AttachedFile> {
  if (attach.kind === "upload") {
    const f = ctx.uploads.get(ctx.account.name, attach.uploadId);
    return fileNode(f.type, attach.filename || f.filename, attach.cid, () => filePieces(f.path));
  }
  const { content, subject } = await attachedContent(ctx, attach.messageId);
  open.push(content);
  if (attach.kind === "part") {
    const packed = packedFile(content, attach.path);
    if (packed !== undefined) {
      // Unpacked again when it is written: the bytes of all that it stands with aren't held until then.
      const bytes = () => packedFile(content, attach.path)?.content ?? new Uint8Array(0);
      const name = attach.filename || packed.name;
      return fileNode(packedFileType, name, attach.cid, () => [bytes()]);
    }
    const part = partByPath(content.root, attach.path);
    if (part === undefined) throw missing("attachment");
    const name = attach.filename || fileNameOf(part);
    if (part.type === "message") {
      return await messageNode(content, part.bodyOffset, part.endOffset, name || "message.eml");
    }
    const type = fileType(`${part.type}/${part.subtype}`);
    return fileNode(type, name, attach.cid, () => partPieces(content, part), part.params.charset);
  }
  // Whom a copy of ours went to in secret stands before it.
  const secret = /^bcc:/i.test(new TextDecoder().decode(content.prefix.subarray(0, 4)));
  const name = subject.replace(/[/\\:*?"<>|]+/g, " ").trim().slice(0, 80) || "message";
  return await messageNode(
    content,
    secret ? content.prefix.length : 0,
    content.reader.size,
    `${name}.eml`,
  );
}

async function* filePieces(path: string): AsyncGenerator<Uint8Array> {
  const file = await Deno.open(path, { read: true });
  try {
    for (;;) {
      const buffer = new Uint8Array(96 * 1024);
      const n = await file.read(buffer);
      if (n === null) return;
      yield buffer.subarray(0, n);
    }
  } finally {
    file.close();
  }
}

function fileNode(
  type: string,
  filename: string,
  cid: string,
  pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  charset?: string,
): AttachedFile {
  // A part without a name is taken for the message's text.
  if (filename === "" && cid === "") filename = "attachment";
  const params: Record<string, string> = {};
  if (type.startsWith("text/") && charset !== undefined) params.charset = charset;
  if (filename !== "") params.name = filename;
  const fields = [
    foldField("Content-Type", type + parameters(params)),
    foldField("Content-Transfer-Encoding", "base64"),
  ];
  const plainCid = cid.replace(/[^\x21-\x3b\x3d\x3f-\x7e]/g, "");
  const kind = plainCid === "" ? "attachment" : "inline";
  fields.push(
    foldField("Content-Disposition", kind + parameters(filename === "" ? {} : { filename })),
  );
  if (plainCid !== "") fields.push(foldField("Content-ID", `<${plainCid}>`));
  return { node: { fields, encoding: "base64", pieces }, cid: plainCid, has8bit: false };
}

/** A message in a message: it may not be encoded (RFC 2046 §5.2.1). */
async function messageNode(
  content: MessageContent,
  from: number,
  to: number,
  filename: string,
): Promise<AttachedFile> {
  let has8bit = false;
  let line = 0;
  let fits = true;
  for (const piece of rawPieces(content, from, to)) {
    for (let i = 0; i < piece.length; i++) {
      const c = piece[i];
      if (c === 10) line = 0;
      else if (++line > 998 || c === 0) fits = false;
      if (c > 127) has8bit = true;
    }
    // Others are served between two pieces.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  // What no transport would take as it is goes as a file.
  if (!fits) {
    return fileNode("application/octet-stream", filename, "", () => rawPieces(content, from, to));
  }
  const fields = [
    foldField("Content-Type", `message/rfc822${parameters({ name: filename })}`),
    foldField("Content-Transfer-Encoding", has8bit ? "8bit" : "7bit"),
    foldField("Content-Disposition", `attachment${parameters({ filename })}`),
  ];
  const node: MimeNode = { fields, encoding: "as is", pieces: () => rawPieces(content, from, to) };
  return { node, cid: "", has8bit };
}
