/** From a request of the web API to a message file. @module */
import { Buffer } from "node:buffer";
import {
  addressField,
  composePart,
  composeText,
  type Entity,
  foldField,
  parameters,
  textField,
} from "../../mail/compose.ts";
import { AddressError, formatMailbox, type WrittenAddress } from "../../mail/address/format.ts";
import { formatDate } from "../../mail/header/date.ts";
import { createTemp, removeFile, writeAll } from "../../platform/files.ts";
import { type MimeNode, mimePieces } from "../webmail/reading/mime_tree.ts";
import { needsUtf8 } from "../webmail/sending/recipients.ts";
import { fileType } from "../webmail/sending/uploads.ts";
import { ApiError } from "./errors.ts";
import type { SendRequest } from "./schemas.ts";
import { fillFields } from "./template.ts";

type RequestFile = NonNullable<SendRequest["AttachedFiles"]>[number];

/** Header addresses, checked. */
export interface Envelope {
  from: WrittenAddress;
  to: WrittenAddress[];
  cc: WrittenAddress[];
  bcc: WrittenAddress[];
  replyTo: WrittenAddress[];
  /** Some of them can only be written in UTF-8. */
  smtputf8: boolean;
}

export interface ComposedFile {
  path: string;
  size: number;
  has8bit: boolean;
  subject: string;
  messageId: string;
}

/** Fields that are made from the rest of the request, or by servers. */
const reserved = new Set([
  "from",
  "to",
  "cc",
  "bcc",
  "reply-to",
  "sender",
  "subject",
  "date",
  "message-id",
  "references",
  "in-reply-to",
  "mime-version",
  "received",
  "return-path",
  "delivered-to",
  "dkim-signature",
  "authentication-results",
  "received-spf",
  "tls-required",
]);

/** An address of a request. @throws ApiError "badAddress" */
export function requestAddress(a: { Name?: string | null; Address: string }): WrittenAddress {
  const at = a.Address.lastIndexOf("@");
  const written = {
    name: a.Name ?? "",
    localpart: a.Address.slice(0, at),
    domain: a.Address.slice(at + 1).toLowerCase(),
  };
  const bad = (cause?: unknown) =>
    new ApiError("badAddress", `${JSON.stringify(a.Address)} is not an email address`, { cause });
  // deno-lint-ignore no-control-regex
  if (at <= 0 || /[\x00-\x20\x7f<>(),;:"\\[\]]/.test(a.Address)) throw bad();
  if (written.localpart.length > 64 || written.domain.length > 255) throw bad();
  if (written.localpart.includes("@") || written.localpart.split(".").includes("")) throw bad();
  try {
    formatMailbox(written, { smtputf8: needsUtf8(written) });
    // Must be a name also where UTF-8 is not understood.
    formatMailbox({ ...written, localpart: "x" }, { smtputf8: false });
  } catch (cause) {
    if (cause instanceof AddressError) throw bad(cause);
    throw cause;
  }
  return written;
}

function ownFields(headers: SendRequest["Headers"], smtputf8: boolean): string[] {
  return (headers ?? []).map(([name, value]) => {
    const lower = name.toLowerCase();
    // RFC 5322 §2.2: printable ASCII but the colon.
    if (!/^[!-9;-~]{1,76}$/.test(name)) {
      throw new ApiError("user", `${JSON.stringify(name)} can't be the name of a header field`);
    }
    if (reserved.has(lower) || lower.startsWith("content-") || lower.startsWith("arc-")) {
      throw new ApiError("user", `the header field ${name} can't be set by Headers`);
    }
    return textField(name, value, { smtputf8 });
  });
}

const cleanId = (s: string) => /^<[\x21-\x3b\x3d\x3f-\x7e]{1,400}>$/.test(s);

function messageIdOf(r: SendRequest, hostname: string): string {
  const given = r.MessageID ?? "";
  if (given === "") return `<${crypto.randomUUID()}@${hostname}>`;
  if (!cleanId(given) || !/^<[^@]+@[^@]+>$/.test(given)) {
    throw new ApiError("malformedMessageID", "MessageID must be like <unique@example.org>");
  }
  return given;
}

function threadFields(r: SendRequest): string[] {
  const ids = (r.References ?? []).map((s) => s.startsWith("<") ? s : `<${s}>`);
  for (const id of ids) {
    if (!cleanId(id)) {
      throw new ApiError("malformedMessageID", `${JSON.stringify(id)} is not a Message-ID`);
    }
  }
  if (ids.length === 0) return [];
  return [foldField("In-Reply-To", ids.at(-1)!), foldField("References", ids.join(" "))];
}

/** Bytes of base64. @throws ApiError */
function dataOf(f: RequestFile): Uint8Array {
  const clean = f.Data.replace(/[\r\n]/g, "");
  // Buffer skips what is not base64: a file must not come out otherwise than it went in.
  if (clean.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(clean)) {
    throw new ApiError("user", `Data of file ${JSON.stringify(f.Name ?? "")} is not base64`);
  }
  return Buffer.from(clean, "base64");
}

function fileNode(f: RequestFile, disposition: "inline" | "attachment"): MimeNode {
  const data = dataOf(f);
  const type = f.ContentType ? fileType(f.ContentType) : "application/octet-stream";
  const charset = /;\s*charset="?([A-Za-z0-9._-]{1,40})"?/i.exec(f.ContentType ?? "")?.[1];
  const params: Record<string, string> = {};
  if (charset !== undefined) params.charset = charset;
  if (f.Name) params.name = f.Name;
  const e: Entity = composePart({ type, params, data, encoding: "base64" });
  e.fields.push(
    foldField(
      "Content-Disposition",
      `${disposition}${f.Name ? parameters({ filename: f.Name }) : ""}`,
    ),
  );
  const cid = (f.ContentID ?? "").replace(/^<|>$/g, "");
  if (cid !== "") {
    if (!cleanId(`<${cid}>`)) throw new ApiError("user", "ContentID has characters not allowed");
    e.fields.push(foldField("Content-ID", `<${cid}>`));
  }
  return { entity: e };
}

function multipart(kind: "mixed" | "alternative" | "related", parts: MimeNode[]): MimeNode {
  return parts.length === 1 ? parts[0] : { multipart: kind, parts };
}

function bodyTree(r: SendRequest, text: string, html: string): MimeNode {
  const inline = (r.InlineFiles ?? []).map((f) => fileNode(f, "inline"));
  const attached = (r.AttachedFiles ?? []).map((f) => fileNode(f, "attachment"));
  const bodies: MimeNode[] = [];
  if (text !== "") bodies.push({ entity: composeText(text) });
  if (html !== "") {
    const data = new TextEncoder().encode(html.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"));
    const part = composePart({ type: "text/html", params: { charset: "utf-8" }, data });
    bodies.push(multipart("related", [{ entity: part }, ...inline]));
  }
  for (const f of r.AlternativeFiles ?? []) bodies.push(fileNode(f, "inline"));
  const shown = html === "" ? inline : [];
  return multipart("mixed", [multipart("alternative", bodies), ...shown, ...attached]);
}

/** Bcc, which stands only in the copy that the sender keeps. */
export function bccField(e: Envelope): string {
  return e.bcc.length === 0 ? "" : addressField("Bcc", e.bcc, { smtputf8: e.smtputf8 });
}

/**
 * Writes the message into a temporary file, synced. The caller removes it.
 * @throws ApiError
 */
export async function composeRequest(
  s: { tempDir: string; hostname: string; maxMessageSize: number },
  r: SendRequest,
  e: Envelope,
): Promise<ComposedFile> {
  const fill = (text: string | null | undefined, html = false) =>
    r.Fields ? fillFields(text ?? "", r.Fields, html) : text ?? "";
  const subject = fill(r.Subject);
  const text = fill(r.Text);
  const html = fill(r.HTML, true);
  if (text === "" && html === "") {
    throw new ApiError("missingBody", "a message needs Text or HTML");
  }
  const o = { smtputf8: e.smtputf8 };
  const messageId = messageIdOf(r, s.hostname);
  const fields = [
    addressField("From", [e.from], o),
    ...(e.to.length > 0 ? [addressField("To", e.to, o)] : []),
    ...(e.cc.length > 0 ? [addressField("Cc", e.cc, o)] : []),
    ...(e.to.length + e.cc.length === 0 ? ["To: undisclosed-recipients:;\r\n"] : []),
    ...(e.replyTo.length > 0 ? [addressField("Reply-To", e.replyTo, o)] : []),
    textField("Subject", subject, o),
    foldField("Date", formatDate(r.Date ? new Date(r.Date) : new Date())),
    foldField("Message-ID", messageId),
    ...threadFields(r),
    ...ownFields(r.Headers, e.smtputf8),
    // RFC 8689 §5
    ...(r.RequireTLS === false ? ["TLS-Required: No\r\n"] : []),
    foldField("MIME-Version", "1.0"),
  ];
  const root = bodyTree(r, text, html);
  const { path, file } = await createTemp(s.tempDir, "webapi-");
  let size = 0;
  let done = false;
  try {
    for await (const piece of mimePieces(root, fields)) {
      size += piece.length;
      if (size > s.maxMessageSize) {
        throw new ApiError(
          "messageTooLarge",
          `with its files encoded, a message can have ${s.maxMessageSize} bytes`,
        );
      }
      await writeAll(file, piece);
    }
    await file.sync();
    done = true;
  } finally {
    file.close();
    if (!done) removeFile(path);
  }
  return { path, size, has8bit: e.smtputf8, subject, messageId };
}
