/** From a request of the web API to a message file. @module */
import { Buffer } from "node:buffer";
import { addressField, foldField, parameters, textField } from "../../mail/compose.ts";
import { textPart } from "../../mail/text_part.ts";
import { AddressError, formatMailbox, type WrittenAddress } from "../../mail/address/format.ts";
import { formatDate } from "../../mail/header/date.ts";
import { writeTempFile } from "../../platform/files.ts";
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

/** Fields that are generated from the rest of the request, or by servers. */
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
    // Must be a name even where UTF-8 is not understood.
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
    // RFC 5322 §2.2: printable ASCII except the colon.
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

function messageIdOf(request: SendRequest, hostname: string): string {
  const given = request.MessageID ?? "";
  if (given === "") return `<${crypto.randomUUID()}@${hostname}>`;
  if (!cleanId(given) || !/^<[^@]+@[^@]+>$/.test(given)) {
    throw new ApiError("malformedMessageID", "MessageID must be like <unique@example.org>");
  }
  return given;
}

function threadFields(request: SendRequest): string[] {
  const ids = (request.References ?? []).map((s) => s.startsWith("<") ? s : `<${s}>`);
  for (const id of ids) {
    if (!cleanId(id)) {
      throw new ApiError("malformedMessageID", `${JSON.stringify(id)} is not a Message-ID`);
    }
  }
  if (ids.length === 0) return [];
  return [foldField("In-Reply-To", ids.at(-1)!), foldField("References", ids.join(" "))];
}

/** Characters of base64 that are decoded at a time. */
const base64Slice = 64 * 1024;

/**
 * Bytes of base64, with or without line ends, in pieces.
 * @throws ApiError for anything else: Buffer would skip it, and files must not be altered
 */
function* dataOf(file: RequestFile): Generator<Uint8Array> {
  let left = "";
  let filledUp = false;
  const check = (good: boolean) => {
    if (good) return;
    throw new ApiError("user", `Data of file ${JSON.stringify(file.Name ?? "")} is not base64`);
  };
  for (let at = 0; at < file.Data.length; at += base64Slice) {
    const chars = left + file.Data.slice(at, at + base64Slice).replace(/[\r\n]/g, "");
    const groups = chars.slice(0, chars.length - chars.length % 4);
    left = chars.slice(groups.length);
    if (groups === "") continue;
    check(!filledUp && /^[A-Za-z0-9+/]*={0,2}$/.test(groups));
    filledUp = groups.endsWith("=");
    yield Buffer.from(groups, "base64");
  }
  check(left === "");
}

function fileNode(file: RequestFile, disposition: "inline" | "attachment"): MimeNode {
  const type = file.ContentType ? fileType(file.ContentType) : "application/octet-stream";
  const charset = /;\s*charset="?([A-Za-z0-9._-]{1,40})"?/i.exec(file.ContentType ?? "")?.[1];
  const params: Record<string, string> = {};
  if (charset !== undefined) params.charset = charset;
  if (file.Name) params.name = file.Name;
  const fields = [
    foldField("Content-Type", type + parameters(params)),
    foldField("Content-Transfer-Encoding", "base64"),
    foldField(
      "Content-Disposition",
      `${disposition}${file.Name ? parameters({ filename: file.Name }) : ""}`,
    ),
  ];
  const cid = (file.ContentID ?? "").replace(/^<|>$/g, "");
  if (cid !== "") {
    if (!cleanId(`<${cid}>`)) throw new ApiError("user", "ContentID has characters not allowed");
    fields.push(foldField("Content-ID", `<${cid}>`));
  }
  return { fields, encoding: "base64", pieces: () => dataOf(file) };
}

function multipart(kind: "mixed" | "alternative" | "related", parts: MimeNode[]): MimeNode {
  return parts.length === 1 ? parts[0] : { multipart: kind, parts };
}

async function bodyTree(request: SendRequest, text: string, html: string): Promise<MimeNode> {
  const inline = (request.InlineFiles ?? []).map((f) => fileNode(f, "inline"));
  const attached = (request.AttachedFiles ?? []).map((f) => fileNode(f, "attachment"));
  const bodies: MimeNode[] = [];
  if (text !== "") bodies.push(await textPart("text/plain", text));
  if (html !== "") {
    bodies.push(multipart("related", [await textPart("text/html", html), ...inline]));
  }
  for (const f of request.AlternativeFiles ?? []) bodies.push(fileNode(f, "inline"));
  const shown = html === "" ? inline : [];
  return multipart("mixed", [multipart("alternative", bodies), ...shown, ...attached]);
}

/** Bcc, which appears only in the sender's own copy. */
export function bccField(envelope: Envelope): string {
  return envelope.bcc.length === 0
    ? ""
    : addressField("Bcc", envelope.bcc, { smtputf8: envelope.smtputf8 });
}

/**
 * Writes the message into a temporary file, synced. The caller removes it.
 * @throws ApiError
 */
export async function composeRequest(
  s: { tempDir: string; hostname: string; maxMessageSize: number },
  request: SendRequest,
  envelope: Envelope,
): Promise<ComposedFile> {
  const fill = (text: string | null | undefined, html = false) =>
    request.Fields ? fillFields(text ?? "", request.Fields, html) : text ?? "";
  const subject = fill(request.Subject);
  const text = fill(request.Text);
  const html = fill(request.HTML, true);
  if (text === "" && html === "") {
    throw new ApiError("missingBody", "a message needs Text or HTML");
  }
  const o = { smtputf8: envelope.smtputf8 };
  const messageId = messageIdOf(request, s.hostname);
  const fields = [
    addressField("From", [envelope.from], o),
    ...(envelope.to.length > 0 ? [addressField("To", envelope.to, o)] : []),
    ...(envelope.cc.length > 0 ? [addressField("Cc", envelope.cc, o)] : []),
    ...(envelope.to.length + envelope.cc.length === 0 ? ["To: undisclosed-recipients:;\r\n"] : []),
    ...(envelope.replyTo.length > 0 ? [addressField("Reply-To", envelope.replyTo, o)] : []),
    textField("Subject", subject, o),
    foldField("Date", formatDate(request.Date ? new Date(request.Date) : new Date())),
    foldField("Message-ID", messageId),
    ...threadFields(request),
    ...ownFields(request.Headers, envelope.smtputf8),
    // RFC 8689 §5
    ...(request.RequireTLS === false ? ["TLS-Required: No\r\n"] : []),
    foldField("MIME-Version", "1.0"),
  ];
  const root = await bodyTree(request, text, html);
  const { path, size } = await writeTempFile(s.tempDir, "webapi-", mimePieces(root, fields), {
    size: s.maxMessageSize,
    exceeded: () =>
      new ApiError(
        "messageTooLarge",
        `with its files encoded, a message can have ${s.maxMessageSize} bytes`,
      ),
  });
  return { path, size, has8bit: envelope.smtputf8, subject, messageId };
}
