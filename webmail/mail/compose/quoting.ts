/**
 * Initial contents of a reply or forward: recipients, subject, quoted text.
 *
 * @module
 */
import {
  type Address,
  type Attach,
  type CallResponse,
  type Composition,
  type ParsedMessage,
  type SendOptions,
  type Settings,
  type StartEvent,
} from "../../api/mod.ts";
import { signatureHtml, signatureText } from "./signatures.ts";
import { escapeHtml, textHtml } from "./text_html.ts";
import { longDate } from "../../lib/format.ts";
import { addressesText, fullAddress } from "../names.ts";
import { t } from "../../lib/text.ts";

export type ReplyKind = "reply" | "replyAll" | "list" | "forward" | "forwardAttached";

/** A message to write, with names and sizes of its attachments. */
export interface Beginning {
  composition: Composition;
  attachments: { attach: Attach; filename: string; type: string; size: number }[];
  draftId: number | null;
  /** Names it in all windows; a new one without. */
  key?: string;
  options?: SendOptions;
  /** Why it could not be sent. */
  failure?: string;
  /** Files that aren't on the server. */
  files?: { filename: string; type: string; blob: Blob }[];
  /** It is not on the server yet. */
  unsaved?: boolean;
}

/** A message to nobody yet. */
export function newMessage(
  start: StartEvent,
  settings: Settings,
  to: string[] = [],
  from = start.addresses[0] ?? { name: "", address: start.loginAddress },
): Beginning {
  const signature = signatureText(settings, from.address);
  return {
    draftId: null,
    attachments: [],
    composition: {
      from,
      to,
      cc: [],
      bcc: [],
      replyTo: "",
      subject: "",
      text: signature === "" ? "" : `\n\n${signature}`,
      html: settings.writing === "rich"
        ? `<div><br></div>${signatureHtml(settings, from.address)}`
        : null,
      attachments: [],
      inReplyTo: null,
      forwards: [],
    },
  };
}

/** The HTML of the message that is answered or forwarded, with its pictures. */
export type Quote = CallResponse<"MessageQuote">;

/** Whether an answer is written in rich text. */
export function wantsRich(
  settings: Settings,
  message: ParsedMessage,
  shown: "text" | "html",
): boolean {
  if (settings.writing === "plain" || !message.hasHtml) return false;
  return settings.writing === "rich" || shown === "html";
}

/** A message from a mailto: address (RFC 6068). */
export function fromMailto(start: StartEvent, settings: Settings, url: string): Beginning {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "mailto:") return newMessage(start, settings, [url]);
  const decode = (s: string) => {
    try {
      return decodeURIComponent(s);
    } catch {
      return s;
    }
  };
  const b = newMessage(
    start,
    settings,
    parsed.pathname.split(",").map(decode).filter((a) => a !== ""),
  );
  const c = b.composition;
  for (const pair of parsed.search.slice(1).split("&")) {
    const eq = pair.indexOf("=");
    const name = decode(pair.slice(0, eq)).toLowerCase();
    const value = decode(pair.slice(eq + 1));
    if (name === "subject") c.subject = value;
    else if (name === "body") {
      c.text = `${value}${c.text}`;
      if (c.html !== null) c.html = `${textHtml(value)}${c.html}`;
    } else if (name === "to" || name === "cc") {
      c[name].push(...value.split(",").filter((a) => a !== ""));
    }
  }
  return b;
}

/** An answer to a message, or its forwarding. */
export function answer(
  start: StartEvent,
  settings: Settings,
  message: ParsedMessage,
  kind: ReplyKind,
  quote?: Quote,
): Beginning {
  const own = new Set(start.addresses.map((a) => a.address.toLowerCase()));
  const answering = message.ownAddresses[0]?.toLowerCase();
  const from = start.addresses.find((a) => a.address.toLowerCase() === answering);
  const b = newMessage(start, settings, [], from);
  const c = b.composition;
  const { item } = message;
  if (kind === "forward" || kind === "forwardAttached") {
    c.subject = prefixed("Fwd", item.subject);
    c.forwards = [item.id];
    if (kind === "forwardAttached") {
      b.attachments = [{
        attach: { kind: "message", messageId: item.id },
        filename: `${item.subject || "message"}.eml`,
        type: "message/rfc822",
        size: item.size,
      }];
      return b;
    }
    const lines = [
      t("---------- Forwarded message ----------"),
      t("From: {0}", addressesText(item.from)),
      t("Date: {0}", longDate(item.sent ?? item.received)),
      t("Subject: {0}", item.subject),
      ...message.recipients.to.length > 0
        ? [t("To: {0}", addressesText(message.recipients.to))]
        : [],
      ...message.recipients.cc.length > 0
        ? [t("Cc: {0}", addressesText(message.recipients.cc))]
        : [],
    ];
    c.text = `${c.text}\n\n${lines.join("\n")}\n\n${bodyText(message)}`;
    if (quote !== undefined) {
      c.html = `<div><br></div>${signatureHtml(settings, c.from.address)}<div>${
        lines.map(escapeHtml).join("<br>")
      }</div><div><br></div>${quote.html}`;
    }
    const inText = new Set(
      quote?.pictures.map((p) => p.attach.kind === "part" ? p.attach.path : ""),
    );
    const files = message.attachments.filter((a) =>
      // Instead of winmail.dat, which few programs can read, the files in it.
      !inText.has(a.path) && !message.attachments.some((f) => f.path.startsWith(`${a.path}+`))
    );
    b.attachments = files.map((a) => ({
      attach: { kind: "part", messageId: item.id, path: a.path, filename: a.filename, cid: "" },
      filename: a.filename || "unnamed",
      type: a.type,
      size: a.size,
    }));
    b.attachments.push(...quote?.pictures ?? []);
    return b;
  }
  c.subject = prefixed("Re", item.subject);
  c.inReplyTo = item.id;
  // An answer to a message of one's own goes to the same people.
  const mine = item.from.some((a) => own.has(a.address.toLowerCase()));
  const { to, cc, replyTo } = message.recipients;
  const sender = replyTo.length > 0 ? replyTo : item.from;
  const taken = new Set<string>();
  const once = (list: readonly Address[], dropOwn: boolean) =>
    list.filter((a) => {
      const key = a.address.toLowerCase();
      if (taken.has(key) || (dropOwn && own.has(key))) return false;
      taken.add(key);
      return true;
    }).map(fullAddress);
  if (kind === "list" && message.listPost !== null) c.to = [message.listPost];
  else {
    c.to = once(mine ? to : sender, false);
    if (kind === "replyAll") {
      if (!mine) c.to.push(...once(to, true));
      c.cc = once(cc, true);
    }
  }
  const who = item.from.map((a) => a.name || a.address).join(", ") || t("Someone");
  const when = longDate(item.sent ?? item.received);
  const quoted = bodyText(message).replace(/\s+$/, "").split("\n")
    .map((l) => l.startsWith(">") ? `>${l}` : l === "" ? ">" : `> ${l}`).join("\n");
  const intro = t("On {0}, {1} wrote:", when, who);
  const lines = `${intro}\n${quoted}\n`;
  const bottom = settings.quoting === "bottom" ||
    (settings.quoting === "auto" && quoted.length < 2000);
  const signature = signatureText(settings, c.from.address);
  c.text = bottom
    ? `${lines}\n\n${signature === "" ? "" : `\n${signature}`}`
    : `\n\n${signature === "" ? "" : `${signature}\n`}${lines}`;
  if (quote !== undefined) {
    const block = `<div>${escapeHtml(intro)}</div><blockquote>${quote.html}</blockquote>`;
    const space = "<div><br></div>";
    c.html = settings.quoting === "bottom"
      ? `${block}${space}${signatureHtml(settings, c.from.address)}`
      : `${space}${signatureHtml(settings, c.from.address)}${space}${block}`;
    b.attachments = [...quote.pictures];
  }
  return b;
}

/** Where the cursor stands at first: before a quote, or below it if it comes first. */
export function cursorStart(text: string): number {
  // A line that names the author, and the author's text.
  if (!/^[^\n]+:\n>/.test(text)) return 0;
  const signature = text.lastIndexOf("\n-- \n");
  return signature < 0 ? text.length : signature;
}

function prefixed(prefix: string, subject: string): string {
  return new RegExp(`^${prefix}(?:\\[\\d+\\])?:`, "i").test(subject.trim())
    ? subject
    : `${prefix}: ${subject}`;
}

/** The message's text without its signature; that of its HTML if it has no other. */
function bodyText(message: ParsedMessage): string {
  const all = message.texts.length > 0
    ? message.texts.map((t) => t.text).join("\n\n")
    : message.htmlText;
  const text = all.replace(/\r\n?/g, "\n");
  const signature = text.lastIndexOf("\n-- \n");
  return signature < 0 ? text : text.slice(0, signature);
}
