/**
 * The calls of MailHog's /api/v2, for test suites written for it that nobody has changed yet. Answers have the
 * messages as they came, with encoded words and transfer encodings: its clients decode them.
 *
 * @module
 */
import type { Part } from "../../mail/structure/structure.ts";
import { giveWay } from "../../platform/turns.ts";
import { type MessageContent, openContent } from "../webmail/reading/content.ts";
import type { Caught, CaughtMail } from "./box.ts";
import { readEnvelope } from "./envelope.ts";
import { namedFields } from "./message.ts";

/** An address of the envelope. */
interface Path {
  Relays: null;
  Mailbox: string;
  Domain: string;
  Params: string;
}

/** A message or a part, encoded as it came. */
interface Content {
  Headers: Record<string, string[]>;
  Body: string;
  /** Bytes of the body. */
  Size: number;
  MIME: { Parts: Content[] } | null;
}

interface MailhogMessage {
  ID: string;
  From: Path;
  To: Path[];
  Content: Content;
  /** When it was caught. */
  Created: string;
  MIME: { Parts: Content[] } | null;
  Raw: { From: string; To: string[]; Data: string; Helo: string };
}

/** Bytes of messages in one answer; those after it are left out, and `count` says how many are there. */
const maxBytes = 32 * 1024 * 1024;
/** Parts of a message that are taken apart; the others are only in its body. */
const maxParts = 1000;

function pathOf(address: string): Path {
  const at = address.lastIndexOf("@");
  return {
    Relays: null,
    Mailbox: at < 0 ? address : address.slice(0, at),
    Domain: at < 0 ? "" : address.slice(at + 1),
    Params: "",
  };
}

/** A caught message. */
function messageOf(mail: CaughtMail, caught: Caught, content: MessageContent): MailhogMessage {
  const { reader, root, prefix } = content;
  const bytes = reader.read(prefix.length, reader.size);
  const text = (from: number, to: number) =>
    new TextDecoder().decode(bytes.subarray(from - prefix.length, to - prefix.length));
  let left = maxParts;
  const contentOf = (part: Part, from: number): Content => {
    const parts: Content[] = [];
    for (const p of part.parts) if (left-- > 0) parts.push(contentOf(p, p.headerOffset));
    return {
      Headers: namedFields(bytes.subarray(from - prefix.length, part.bodyOffset - prefix.length)),
      Body: text(part.bodyOffset, part.endOffset),
      Size: part.endOffset - part.bodyOffset,
      MIME: parts.length > 0 ? { Parts: parts } : null,
    };
  };
  const whole = contentOf(root, prefix.length);
  const envelope = readEnvelope(prefix);
  const from = envelope?.From ?? "";
  const to = envelope?.To.map((r) => r.Address) ?? [];
  return {
    ID: mail.idOf(caught),
    From: pathOf(from),
    To: to.map(pathOf),
    Content: whole,
    Created: new Date(caught.received).toISOString(),
    MIME: whole.MIME,
    Raw: { From: from, To: to, Data: text(prefix.length, reader.size), Helo: envelope?.Helo ?? "" },
  };
}

/** A page of messages, newest first. @param total how many there are */
export async function mailhogList(
  mail: CaughtMail,
  page: readonly Caught[],
  start: number,
  total: number,
): Promise<{ total: number; count: number; start: number; items: MailhogMessage[] }> {
  const items: MailhogMessage[] = [];
  let left = maxBytes;
  for (const caught of page) {
    // One that was removed while others were read.
    if (caught.account.message(caught.id) === undefined) continue;
    const content = openContent(caught.account, caught.id);
    try {
      left -= content.reader.size;
      if (left < 0 && items.length > 0) break;
      items.push(messageOf(mail, caught, content));
    } finally {
      content.close();
    }
    await giveWay();
  }
  return { total, count: items.length, start, items };
}
