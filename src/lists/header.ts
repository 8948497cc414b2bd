/**
 * The header of a message passed on by a list: list fields it arrived with are removed, the list's own are added, and
 * the author's address in From is replaced if configured.
 *
 * @module
 */
import { encodeWord } from "../mail/header/encode.ts";
import { foldField } from "../mail/compose.ts";
import { formatAddress, formatAddressList } from "../mail/address/format.ts";
import { listAddress, type ResolvedList } from "../config/mod.ts";
import { scanHeader } from "../senderauth/mod.ts";
import { unfold } from "../senderauth/header_fields.ts";
import { joined } from "../platform/bytes.ts";

/** The author of a message. */
export interface PostAuthor {
  name: string;
  localpart: string;
  domain: string;
}

/** Fields that only this list may set, and those that would make members send receipts to the author. */
function isDropped(name: string): boolean {
  return name.startsWith("list-") || dropped.has(name);
}
const dropped = new Set([
  "bcc",
  "return-path",
  "precedence",
  "mailing-list",
  "x-mailing-list",
  "x-loop",
  "x-been-there",
  "errors-to",
  "archived-at",
  "disposition-notification-to",
  "return-receipt-to",
  "x-confirm-reading-to",
  "x-original-from",
  // The results on arrival are in ARC's field; another server's results are irrelevant.
  "authentication-results",
  "received-spf",
]);

/** Display name of a list. */
export function listName(list: ResolvedList): string {
  return list.config.Name || list.localpart;
}

/** List-Id's value in angle brackets (RFC 2919 §2). */
export function listId(list: ResolvedList): string {
  return `${list.localpart}.${list.domain.ascii}`;
}

/** Whether a message has passed the list before. */
export function cameFromList(
  list: ResolvedList,
  fields: readonly { name: string; value: string }[],
): boolean {
  const id = `<${listId(list)}>`;
  const own = listAddress(list, "post").toLowerCase();
  return fields.some((f) => {
    if (f.name === "list-id") return f.value.toLowerCase().includes(id);
    if (f.name === "delivered-to") {
      return f.value.trim().replace(/^<|>$/g, "").toLowerCase() === own;
    }
    return false;
  });
}

/** Options for changing a header. */
export interface Changes {
  list: ResolvedList;
  author: PostAuthor;
  /** The list replaces the author. */
  replaceFrom: boolean;
  /** URL of the lists' pages, with a slash at the end; undefined if they aren't served. */
  pages: string | undefined;
  smtputf8: boolean;
}

/** The header with the list's fields, and its empty line. */
export function listHeader(header: Uint8Array, changes: Changes): Uint8Array {
  const { list, author } = changes;
  const scanned = scanHeader(header);
  const kept: Uint8Array[] = [];
  const text = (s: string) => new TextEncoder().encode(s);
  let prefixed = list.config.SubjectPrefix === "";
  for (const f of scanned.fields) {
    if (isDropped(f.name)) continue;
    if (changes.replaceFrom && (f.name === "from" || f.name === "sender")) continue;
    if (f.name === "reply-to" && (list.config.ReplyToList || changes.replaceFrom)) continue;
    const bytes = scanned.bytes.subarray(f.start, f.end);
    if (f.name === "subject" && !prefixed) {
      prefixed = true;
      const value = new TextDecoder().decode(scanned.bytes.subarray(f.value, f.end));
      if (!value.includes(list.config.SubjectPrefix)) {
        kept.push(
          text(`Subject: ${prefixWord(list)} `),
          trimmedStart(scanned.bytes.subarray(f.value, f.end)),
        );
        continue;
      }
    }
    kept.push(bytes);
  }
  if (!prefixed) kept.push(text(`Subject: ${prefixWord(list)} (no subject)\r\n`));
  return joined([
    text(
      ownFields(changes, scanned.fields.some((f) => f.name === "reply-to") ? replyTo(scanned) : ""),
    ),
    ...kept,
    text("\r\n"),
  ]);

  function replyTo(h: typeof scanned): string {
    const f = h.fields.find((f) => f.name === "reply-to")!;
    // A list must not preserve delivery requests of the author.
    return changes.replaceFrom && !list.config.ReplyToList
      ? unfold(new TextDecoder().decode(h.bytes.subarray(f.value, f.end)))
      : "";
  }

  function ownFields({ pages, smtputf8 }: Changes, wanted: string): string {
    const id = list.config.Name === "" ? "" : `${phrase(list.config.Name)} `;
    const mailto = (role: Parameters<typeof listAddress>[1]) =>
      `<mailto:${listAddress(list, role)}>`;
    const page = pages && `${pages}${list.key}`;
    const from = { name: `${author.name || author.localpart} via ${listName(list)}` };
    const at = { localpart: list.localpart, domain: list.domain.ascii };
    return [
      foldField("List-Id", `${id}<${listId(list)}>`),
      foldField("List-Post", list.config.Posting === "owners" ? "NO" : mailto("post")),
      foldField("List-Help", `<mailto:${listAddress(list, "request")}?subject=help>`),
      list.config.Subscribing === "closed" ? "" : foldField("List-Subscribe", mailto("subscribe")),
      foldField("List-Owner", mailto("owner")),
      page !== undefined && list.config.Archive !== "none"
        ? foldField("List-Archive", `<${page}/archive>`)
        : "",
      // RFC 3834 §2: automatic responders ignore such mail.
      "Precedence: list\r\n",
      changes.replaceFrom
        ? foldField("From", formatAddress({ ...from, ...at }, { smtputf8: false }))
        : "",
      list.config.ReplyToList
        ? foldField("Reply-To", listAddress(list, "post"))
        : !changes.replaceFrom
        ? ""
        : wanted !== ""
        ? foldField("Reply-To", wanted)
        : foldField("Reply-To", formatAddressList([author], { smtputf8 })),
    ].join("");
  }
}

function phrase(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name)) return encodeWord(name, { always: true });
  return /^[A-Za-z0-9 ]+$/.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

function prefixWord(list: ResolvedList): string {
  const prefix = list.config.SubjectPrefix;
  return /^[\x20-\x7e]*$/.test(prefix) && !prefix.includes("=?")
    ? prefix
    : encodeWord(prefix, { always: true });
}

function trimmedStart(bytes: Uint8Array): Uint8Array {
  let i = 0;
  while (bytes[i] === 0x20 || bytes[i] === 0x09) i++;
  return bytes.subarray(i);
}

/**
 * Fields specific to each member: how to unsubscribe (RFC 2369 §3.2, RFC 8058).
 * @param signed the message gets a signature of the list's domain
 */
export function leaveFields(
  list: ResolvedList,
  token: string,
  pages: string | undefined,
  signed: boolean,
): string {
  const mail = `<mailto:${listAddress(list, "unsubscribe", token)}>`;
  if (pages === undefined) return foldField("List-Unsubscribe", mail);
  return foldField("List-Unsubscribe", `<${pages}${list.key}/leave/${token}>, ${mail}`) +
    // RFC 8058 §4: one-click is only for messages with a valid signature.
    (signed && pages.startsWith("https:")
      ? "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
      : "");
}
