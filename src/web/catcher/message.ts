/** Caught messages in the form of the API. @module */
import { headerText } from "../../mail/header/header.ts";
import { giveWay } from "../../platform/turns.ts";
import { unpackStructure } from "../../mail/structure/packed.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { Flag, type Summary, type SummaryAddress, Want } from "../../store/types.ts";
import {
  headerFields,
  type MessageContent,
  openContent,
  partPieces,
  partText,
} from "../webmail/reading/content.ts";
import { contentId, fileNameOf, type NumberedPart, sortParts } from "../webmail/reading/parts.ts";
import { listUnsubscribe } from "../webmail/reading/list_headers.ts";
import type { Caught, CaughtMail } from "./box.ts";
import { type Envelope, readEnvelope } from "./envelope.ts";
import { tagsOf } from "./tags.ts";

export interface NamedAddress {
  Name: string;
  Address: string;
}

/** A line of the list. */
export interface MessageSummary {
  ID: string;
  MessageID: string;
  Read: boolean;
  From: NamedAddress | null;
  To: NamedAddress[];
  Cc: NamedAddress[];
  Bcc: NamedAddress[];
  ReplyTo: NamedAddress[];
  Subject: string;
  /** When it was caught. */
  Created: string;
  /** Login name of the program. */
  Username: string;
  Tags: string[];
  Size: number;
  Attachments: number;
  Snippet: string;
}

/** A part other than the text. */
export interface AttachmentForm {
  PartID: string;
  FileName: string;
  ContentType: string;
  ContentID: string;
  Size: number;
}

/** Characters returned of text and of HTML each. */
const maxText = 5_000_000;
/** Bytes of a header whose fields are returned. */
const maxHeader = 1_000_000;
/** Characters of a snippet. */
const maxSnippet = 250;

const address = (a: SummaryAddress): NamedAddress => ({ Name: a.name, Address: a.address });

interface Row {
  summary: Summary;
  flags: number;
  keywords: string[];
  size: number;
  received: number;
  root: Part;
  prefix: Uint8Array;
}

function rowOf(caught: Caught): Row | undefined {
  let found: Row | undefined;
  caught.account.fetch(caught.mailboxId, [caught.uid], Want.Summary | Want.Content, (row) => {
    found = {
      summary: row.summary,
      flags: row.flags,
      keywords: row.keywords === "" ? [] : row.keywords.split(" "),
      size: row.size,
      received: row.received,
      root: unpackStructure(row.structure),
      prefix: row.prefix,
    };
    return false;
  });
  return found;
}

/** A part that the HTML refers to by its Content-ID. */
const isInline = (p: Part, hasHtml: boolean) =>
  p.disposition === "inline" || (hasHtml && contentId(p) !== "" && p.disposition !== "attachment");

function split(root: Part): { attachments: NumberedPart[]; inline: NumberedPart[] } {
  const parts = sortParts(root);
  const hasHtml = parts.html.length > 0;
  return {
    attachments: parts.attachments.filter((p) => !isInline(p.part, hasHtml)),
    inline: parts.attachments.filter((p) => isInline(p.part, hasHtml)),
  };
}

/** A list entry; undefined if the message no longer exists. */
export function summaryForm(mail: CaughtMail, caught: Caught): MessageSummary | undefined {
  const row = rowOf(caught);
  if (row === undefined) return undefined;
  const { summary: s } = row;
  return {
    ID: mail.idOf(caught),
    MessageID: s.messageId,
    Read: (row.flags & Flag.Seen) !== 0,
    From: s.from.length > 0 ? address(s.from[0]) : null,
    To: s.to.map(address),
    Cc: s.cc.map(address),
    Bcc: s.bcc.map(address),
    ReplyTo: s.replyTo.map(address),
    Subject: s.subject,
    Created: new Date(row.received).toISOString(),
    Username: readEnvelope(row.prefix)?.Username ?? "",
    Tags: tagsOf(row.keywords),
    Size: row.size,
    Attachments: split(row.root).attachments.length,
    Snippet: s.preview.slice(0, maxSnippet),
  };
}

/** The bytes of a part when decoded. Others are served in between. */
export async function decodedSize(content: MessageContent, part: Part): Promise<number> {
  let size = 0;
  for (const piece of partPieces(content, part)) {
    size += piece.length;
    await giveWay();
  }
  return size;
}

async function attachmentForm(
  content: MessageContent,
  { path, part }: NumberedPart,
): Promise<AttachmentForm> {
  return {
    PartID: path,
    FileName: fileNameOf(part),
    ContentType: `${part.type}/${part.subtype}`,
    ContentID: contentId(part),
    Size: await decodedSize(content, part),
  };
}

async function attachmentForms(
  content: MessageContent,
  parts: readonly NumberedPart[],
): Promise<AttachmentForm[]> {
  const forms: AttachmentForm[] = [];
  for (const p of parts) forms.push(await attachmentForm(content, p));
  return forms;
}

function texts(content: MessageContent, list: readonly NumberedPart[]): string {
  let left = maxText;
  const out: string[] = [];
  for (const { part } of list) {
    if (left <= 0) break;
    const { text } = partText(content, part, left);
    left -= text.length;
    out.push(text);
  }
  return out.join("\n");
}

/** The text and HTML of an open message. */
export function bodies(content: MessageContent): { text: string; html: string } {
  const parts = sortParts(content.root);
  return { text: texts(content, parts.texts), html: texts(content, parts.html) };
}

function unsubscribeForm(content: MessageContent) {
  const fields = headerFields(content);
  const Header = headerText(fields, "list-unsubscribe") ?? "";
  const found = listUnsubscribe(fields);
  const Links = [found?.url, found?.mailto].filter((l) => l !== null && l !== undefined);
  return {
    Header,
    Links,
    Errors: Header !== "" && Links.length === 0 ? "no https: or mailto: link in <>" : "",
    HeaderPost: headerText(fields, "list-unsubscribe-post") ?? "",
  };
}

/** A whole message, without the content of its attachments. */
export async function messageForm(mail: CaughtMail, caught: Caught) {
  const row = rowOf(caught);
  if (row === undefined) return undefined;
  const c = openContent(caught.account, caught.id);
  try {
    const { summary: s } = row;
    const { text, html } = bodies(c);
    const { attachments, inline } = split(row.root);
    const envelope: Envelope | undefined = readEnvelope(row.prefix);
    return {
      ID: mail.idOf(caught),
      MessageID: s.messageId,
      From: s.from.length > 0 ? address(s.from[0]) : null,
      To: s.to.map(address),
      Cc: s.cc.map(address),
      Bcc: s.bcc.map(address),
      ReplyTo: s.replyTo.map(address),
      ReturnPath: envelope?.From ?? s.from[0]?.address ?? "",
      Subject: s.subject,
      ListUnsubscribe: unsubscribeForm(c),
      Date: new Date(s.sent ?? row.received).toISOString(),
      Tags: tagsOf(row.keywords),
      Username: envelope?.Username ?? "",
      // Without the final line end of text parts, like Mailpit since 1.27.
      Text: text.replace(/\r?\n$/, ""),
      HTML: html,
      Size: row.size,
      Inline: await attachmentForms(c, inline),
      Attachments: await attachmentForms(c, attachments),
      Envelope: envelope ?? null,
    };
  } finally {
    c.close();
  }
}

/** A header's fields by name, in the spelling of their first occurrence, as they came but unfolded. */
export function namedFields(header: Uint8Array): Record<string, string[]> {
  const found = new Map<string, { name: string; values: string[] }>();
  const text = new TextDecoder().decode(header);
  for (const field of text.replaceAll(/\r\n(?=[ \t])/g, "").split("\r\n")) {
    const colon = field.indexOf(":");
    if (colon <= 0) continue;
    const name = field.slice(0, colon).trimEnd();
    const entry = found.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(field.slice(colon + 1).trim());
    found.set(name.toLowerCase(), entry);
  }
  return Object.fromEntries([...found.values()].map((e) => [e.name, e.values]));
}

/** The fields of a message's header. */
export function headersForm(caught: Caught): Record<string, string[]> {
  const c = openContent(caught.account, caught.id);
  try {
    return namedFields(c.reader.read(0, Math.min(c.root.bodyOffset, maxHeader)));
  } finally {
    c.close();
  }
}
