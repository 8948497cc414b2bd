/** A message in the form that the web API and webhooks give to programs. @module */
import { headerText } from "../../mail/header/header.ts";
import { withoutComments } from "../../mail/header/params.ts";
import { parseMessageIds } from "../../mail/header/messageid.ts";
import type { Part } from "../../mail/structure/structure.ts";
import type { PackedFile } from "../../mail/transfer/uuencode.ts";
import type { Account } from "../../store/account/account.ts";
import { type DeliveryRecord, deliveryRecord } from "../../store/account/delivery_facts.ts";
import {
  flagNames,
  type Message,
  type Summary,
  type SummaryAddress,
  Want,
} from "../../store/types.ts";
import { headerFields, type MessageContent, partText } from "../webmail/reading/content.ts";
import { packedFiles } from "../webmail/reading/packed_files.ts";
import { contentId, decodedSize, fileNameOf, sortParts } from "../webmail/reading/parts.ts";
import type { Structure } from "./schemas.ts";

/** Bytes of text and of HTML that are told, each. */
const maxText = 1024 * 1024;
/** Parts and levels of a structure that are told. */
const maxParts = 1000;
const maxDepth = 50;

export interface NamedAddress {
  Name: string;
  Address: string;
}

export interface MessageForm {
  From: NamedAddress[];
  To: NamedAddress[];
  CC: NamedAddress[];
  BCC: NamedAddress[];
  ReplyTo: NamedAddress[];
  MessageID: string;
  References: string[];
  Date: string | null;
  Subject: string;
  Text: string;
  HTML: string;
}

const addresses = (list: readonly SummaryAddress[]): NamedAddress[] =>
  list.map((a) => ({ Name: a.name, Address: a.address }));

function summaryOf(account: Account, message: Message): Summary {
  let found: Summary | undefined;
  account.fetch(message.mailboxId, [message.uid], Want.Summary, (row) => {
    found = row.summary;
    return false;
  });
  // Removed since it was opened; it is read as an empty one.
  return found ?? {
    messageId: "",
    references: [],
    repliesOnly: undefined,
    subject: "",
    sortSubject: "",
    sent: undefined,
    sentZone: undefined,
    from: [],
    to: [],
    cc: [],
    bcc: [],
    replyTo: [],
    preview: "",
    hasAttachment: false,
  };
}

/** Header and body. */
export function messageForm(account: Account, content: MessageContent): MessageForm {
  const s = summaryOf(account, content.message);
  const { texts, html } = sortParts(content.root);
  const bodies = (list: typeof texts) => {
    let left = maxText;
    const out: string[] = [];
    for (const { part } of list) {
      if (left <= 0) break;
      const { text } = partText(content, part, left);
      left -= text.length;
      out.push(text.replaceAll("\r\n", "\n"));
    }
    return out.join("\n");
  };
  return {
    From: addresses(s.from),
    To: addresses(s.to),
    CC: addresses(s.cc),
    BCC: addresses(s.bcc),
    ReplyTo: addresses(s.replyTo),
    MessageID: s.messageId === "" ? "" : `<${s.messageId}>`,
    References: s.references.map((r) => `<${r}>`),
    Date: s.sent === undefined ? null : new Date(s.sent).toISOString(),
    Subject: s.subject,
    Text: bodies(texts),
    HTML: bodies(html),
  };
}

/** In-Reply-To, with <>; "" without one. */
export function inReplyTo(content: MessageContent): string {
  const [id] = parseMessageIds(headerText(headerFields(content), "in-reply-to") ?? "");
  return id === undefined ? "" : `<${id}>`;
}

/** RFC 3834 §5, and the fields of lists and programs: no program should answer it automatically. */
export function isAutomated(content: MessageContent, record: DeliveryRecord | undefined): boolean {
  const fields = headerFields(content);
  const word = (name: string) =>
    withoutComments(headerText(fields, name) ?? "").trim().toLowerCase();
  const submitted = word("auto-submitted");
  const precedence = word("precedence");
  return record?.isMailingList === true || record?.mailFrom === "" ||
    (submitted !== "" && submitted !== "no") ||
    ["bulk", "list", "junk"].includes(precedence) ||
    headerText(fields, "list-id") !== undefined;
}

/** RFC 3464 §2: a report of delivery. */
export function isDsn(root: Part): boolean {
  return root.type === "multipart" && root.subtype === "report" &&
    root.parts.some((p) => p.type === "message" && /^(?:global-)?delivery-status$/.test(p.subtype));
}

/** A file inside another part, as a part of it. */
const packedForm = (file: PackedFile): Structure => ({
  ContentType: "application/octet-stream",
  ContentTypeParams: {},
  ContentID: "",
  ContentDisposition: "attachment",
  Filename: file.name,
  DecodedSize: file.content.length,
  Parts: [],
});

/** The parts; uuencoded files in a text, and those of winmail.dat, are parts of the part that contains them. */
export function structureForm(content: MessageContent): Structure {
  const packed = new Map<Part, PackedFile[]>();
  for (const { part, files } of packedFiles(content)) packed.set(part, files);
  let parts = 0;
  const form = (part: Part, depth: number): Structure => {
    parts++;
    const inner = depth >= maxDepth ? [] : part.message !== undefined ? [part.message] : part.parts;
    const listed: Structure[] = [];
    for (const child of inner) {
      if (parts >= maxParts) break;
      listed.push(form(child, depth + 1));
    }
    for (const file of packed.get(part) ?? []) {
      if (parts++ >= maxParts) break;
      listed.push(packedForm(file));
    }
    return {
      ContentType: `${part.type}/${part.subtype}`,
      ContentTypeParams: part.params,
      ContentID: contentId(part) === "" ? "" : `<${contentId(part)}>`,
      ContentDisposition: part.disposition ?? "",
      Filename: fileNameOf(part),
      DecodedSize: part.parts.length > 0 ? 0 : decodedSize(part),
      Parts: listed,
    };
  };
  return form(content.root, 0);
}

/** Flags as IMAP spells them, in lower case. */
export function flagList(message: Message): string[] {
  return [
    ...flagNames.filter(([bit]) => message.flags & bit).map(([, name]) => name.toLowerCase()),
    ...message.keywords,
  ];
}

/** Data of a message, and how it was received. */
export function messageMeta(account: Account, content: MessageContent) {
  const d = deliveryRecord(account.db, content.message.id);
  return {
    Size: content.message.size,
    DSN: isDsn(content.root),
    Flags: flagList(content.message),
    MailFrom: d?.mailFrom ?? "",
    MailFromValidated: d?.mailFromValidated ?? false,
    MsgFrom: d?.msgFrom ?? "",
    MsgFromValidated: d?.msgFromValidated ?? false,
    RcptTo: d?.rcptTo ?? "",
    DKIMVerifiedDomains: d?.dkimDomains ?? [],
    RemoteIP: d?.remoteIp ?? "",
    MailboxName: account.mailbox(content.message.mailboxId)?.name ?? "",
  };
}
