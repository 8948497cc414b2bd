/** A message as the page opens it. @module */
import type { ParsedMessage } from "../../../../webmail/api/mod.ts";
import type { Config } from "../../../config/mod.ts";
import { flattenAddresses, parseAddressList } from "../../../mail/address/address.ts";
import type { HeaderField } from "../../../mail/header/header.ts";
import { decodeWords } from "../../../mail/header/words.ts";
import type { Account } from "../../../store/account/account.ts";
import { listedMessage } from "../../../store/messages/listing.ts";
import { authenticationOf } from "./authentication.ts";
import { whyOf } from "./why.ts";
import { headerFields, type MessageContent, partText, withContent } from "./content.ts";
import { missing } from "../errors.ts";
import { unflow } from "./format_flowed.ts";
import { saysMore } from "../html/says_more.ts";
import { htmlAsText } from "../html/text.ts";
import { shownAddresses } from "../list/shown_address.ts";
import { htmlBody } from "./html_body.ts";
import { messageItem } from "../list/items.ts";
import { contactCards } from "./contact_cards.ts";
import { invitationOf } from "./invitation.ts";
import { isSignature, protectionOf } from "./protection.ts";
import { listPost, listUnsubscribe } from "./list_headers.ts";
import { packedAttachments } from "./packed_files.ts";
import { attachmentItem, type NumberedPart, sortParts } from "./parts.ts";
import { senderView } from "../settings.ts";

/** Bytes of a text that are shown, and texts of a message. */
const maxText = 1_000_000;
const maxTexts = 20;
const maxAttachments = 1000;

/** Fields that people look for, besides those that are always shown. */
const interesting = new Set(
  ("date sender return-path delivered-to list-id user-agent x-mailer organization organisation importance " +
    "x-priority resent-from resent-to resent-date auto-submitted precedence mail-followup-to comments " +
    "keywords x-originating-ip disposition-notification-to").split(" "),
);

function interestingFields(fields: readonly HeaderField[]): { name: string; value: string }[] {
  return fields.filter((f) => interesting.has(f.name)).slice(0, 50).map((field) => ({
    name: field.name.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase()),
    value: decodeWords(field.value).replace(/\s+/g, " ").trim().slice(0, 1000),
  }));
}

/** Text of a plain part as it is read. */
export function readableText(
  content: MessageContent,
  part: NumberedPart,
): { path: string; text: string; truncated: boolean } {
  const { text, truncated } = partText(content, part.part, maxText);
  const { format, delsp } = part.part.params;
  return {
    path: part.path,
    text: format?.toLowerCase() === "flowed"
      ? unflow(text, delsp?.toLowerCase() === "yes")
      : text.replaceAll("\r\n", "\n"),
    truncated,
  };
}

/** Own addresses that a message is for, the one it was delivered to first. */
function ownAddresses(config: Config, account: string, fields: readonly HeaderField[]): string[] {
  const own = new Set<string>();
  for (const name of ["delivered-to", "to", "cc", "bcc"]) {
    for (const f of fields.filter((f) => f.name === name).slice(0, 20)) {
      for (const a of flattenAddresses(parseAddressList(f.value)).slice(0, 1000)) {
        if (config.mayUseFrom(account, a.localpart, a.domain) !== "yes") continue;
        own.add(`${a.localpart}@${a.domain.toLowerCase()}`);
      }
    }
  }
  return [...own].slice(0, 20);
}

/** Opens a message. @throws HttpError 404 */
export function parsedMessage(
  config: Config,
  account: Account,
  id: number,
): Promise<Omit<ParsedMessage, "sendAt">> {
  return withContent(account, id, async (content) => {
    const item = messageItem(account, id);
    const listed = listedMessage(account.db, id);
    if (item === undefined || listed === undefined) throw missing("message");
    const fields = headerFields(content);
    const parts = sortParts(content.root);
    const hasHtml = parts.html.length > 0;
    const html = await htmlBody(content, false, parts, account.name).catch(() => undefined);
    const from = item.from[0]?.address;
    const authentication = authenticationOf(account, content);
    const texts = parts.texts.slice(0, maxTexts).map((p) => readableText(content, p));
    return {
      item,
      recipients: {
        to: shownAddresses(fields, "to"),
        cc: shownAddresses(fields, "cc"),
        bcc: shownAddresses(fields, "bcc"),
        replyTo: shownAddresses(fields, "reply-to"),
      },
      messageId: listed.summary.messageId,
      ownAddresses: ownAddresses(config, account.name, fields),
      headers: interestingFields(fields),
      texts,
      hasHtml,
      htmlSaysMore: html !== undefined && saysMore(html.html, texts.map((t) => t.text).join("\n")),
      htmlText: parts.texts.length === 0 && html !== undefined ? htmlAsText(html.html) : "",
      hasExternal: (html?.external ?? 0) > 0,
      attachments: [
        ...parts.attachments.filter((p) => !isSignature(content.root, p.part))
          .map((p) => attachmentItem(p, hasHtml)),
        ...packedAttachments(content),
      ].slice(0, maxAttachments),
      authentication,
      why: whyOf(account, content, listed.summary, authentication?.fromVerified ?? false),
      listPost: listPost(fields),
      listUnsubscribe: listUnsubscribe(fields),
      invitation: invitationOf(config, account, content),
      contacts: contactCards(content),
      protection: protectionOf(content.root),
      senderView: (from === undefined ? undefined : senderView(account, from)) ?? null,
      lost: Math.max(0, content.message.size - content.reader.size),
    };
  });
}
