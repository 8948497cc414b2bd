/** Sending notifications that a message was read (RFC 9007 §2.1), and finding the message concerned. @module */
import { emailStructure } from "../../store/messages/content.ts";
import { randomUUID } from "node:crypto";
import { parseAddressList } from "../../mail/address/address.ts";
import { flattenAddresses } from "../../mail/address/address.ts";
import { composeMdn, type Disposition } from "../../mail/dsn/mdn.ts";
import { encodeWord } from "../../mail/header/encode.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { emailIndex } from "../../store/emails/email_index.ts";
import { emailsOfMessageId } from "../../store/emails/message_ids.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { Access, MethodContext } from "../core/method.ts";
import { resolveId } from "../core/set.ts";
import { withMessageFile } from "./email_changes.ts";
import type { Identity } from "./identities.ts";
import { slotId, slotOfId } from "./ids.ts";
import { keywordsOfSlot } from "./keywords.ts";
import { mailView } from "./view.ts";

/** The email of a Message-ID with angle brackets; null if there is none, or more than one. */
export async function emailOfMessageId(
  access: Access,
  messageId: string | undefined,
): Promise<string | null> {
  const plain = messageId?.replace(/^[^<]*<|>.*$/g, "").trim();
  if (!plain) return null;
  const view = await mailView(access);
  const slots = emailsOfMessageId(access.account, plain).map((id) => view.index.slotOf(id))
    .filter((s) => s !== undefined && view.visible(s));
  return slots.length === 1 ? slotId(view.index, slots[0]!) : null;
}

const modes = {
  actionMode: ["manual-action", "automatic-action"],
  sendingMode: ["mdn-sent-manually", "mdn-sent-automatically"],
  type: ["deleted", "dispatched", "displayed", "processed"],
} as const;

function readDisposition(value: unknown): Disposition {
  const o = typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  const wrong = Object.entries(modes).filter(([k, list]) =>
    !(list as readonly string[]).includes(String(o[k]).toLowerCase())
  ).map(([k]) => `disposition/${k}`);
  if (wrong.length > 0) throw invalidProperties(wrong, `can't be so: ${wrong.join(", ")}`);
  return Object.fromEntries(
    Object.keys(modes).map((k) => [k, String(o[k]).toLowerCase()]),
  ) as unknown as Disposition;
}

const settable = [
  "forEmailId",
  "subject",
  "textBody",
  "includeOriginalMessage",
  "reportingUA",
  "disposition",
  "finalRecipient",
  "extensionFields",
];

function checkTypes(o: Record<string, unknown>): void {
  const text = ["subject", "textBody", "reportingUA", "finalRecipient"];
  const bad = Object.entries(o).filter(([k, x]) => {
    if (!settable.includes(k)) return true;
    if (x === null || k === "disposition" || k === "forEmailId") return false;
    if (text.includes(k)) return typeof x !== "string" || x.length > 100_000;
    if (k === "includeOriginalMessage") return typeof x !== "boolean";
    return typeof x !== "object" || Array.isArray(x) || Object.keys(x).length > 100 ||
      !Object.entries(x).every(([name, v]) =>
        /^[!-9;-~]{1,100}$/.test(name) && typeof v === "string"
      );
  }).map(([k]) => k);
  if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
}

/**
 * Sends one; it is in the queue when this resolves.
 * @returns the properties that the client doesn't know, and the email concerned
 * @throws SetError
 */
export async function sendMdn(
  ctx: MethodContext,
  access: Access,
  identity: Identity,
  o: Record<string, unknown>,
): Promise<{ told: Record<string, unknown>; emailId: string }> {
  checkTypes(o);
  const disposition = readDisposition(o.disposition);
  const { account } = access;
  const emailId = typeof o.forEmailId === "string" ? resolveId(ctx, o.forEmailId) ?? "" : "";
  const view = await mailView(access);
  const slot = slotOfId(await emailIndex(account), emailId);
  if (slot === undefined || !view.visible(slot)) {
    throw new SetError("notFound", "there is no such email");
  }
  const { index } = view;
  if (keywordsOfSlot(index, slot)["$mdnsent"]) {
    throw new SetError("mdnAlreadySent", "a note about this message was sent already");
  }
  const number = index.emailAt(slot);
  const structure = emailStructure(account.db, number);
  if (structure === undefined) throw new SetError("notFound", "there is no such email");
  const reader = account.openMessage(number);
  let original: Uint8Array;
  try {
    original = reader.read(0, JSON.parse(structure)[1] as number);
  } finally {
    reader.close();
  }
  const fields = splitHeader(original);
  const asked = flattenAddresses(
    parseAddressList(headerField(fields, "disposition-notification-to") ?? ""),
  ).filter((a) => a.localpart !== "" && a.domain !== "");
  if (asked.length === 0) {
    // RFC 8098 §2.1: a sender who did not ask is not notified.
    throw new SetError("forbidden", "the message asks for no such note");
  }
  const to = asked.map((a) => `${a.localpart}@${a.domain}`).slice(0, 10);
  const originalSubject = headerField(fields, "subject") ?? "";
  const messageId = `${randomUUID()}@${ctx.s.hostname}`;
  const found = /<[^<>\s]+>/.exec(headerField(fields, "message-id") ?? "")?.[0];
  const finalRecipient = typeof o.finalRecipient === "string"
    ? o.finalRecipient
    : `rfc822; ${identity.email}`;
  const name = identity.name === "" ? "" : `${encodeWord(identity.name, { always: true })} `;
  const originalRecipient = headerField(fields, "original-recipient");
  const message = composeMdn({
    from: `${name}<${identity.email}>`,
    to: to.map((a) => `<${a}>`).join(", "),
    subject: typeof o.subject === "string" ? o.subject : `Read: ${originalSubject}`,
    date: new Date(),
    messageId,
    text: typeof o.textBody === "string"
      ? o.textBody
      : `Your message was ${disposition.type}. That says nothing of whether it was understood.\n`,
    reportingUa: typeof o.reportingUA === "string" ? o.reportingUA : undefined,
    disposition,
    finalRecipient,
    originalRecipient,
    originalMessageId: found,
    extensionFields: Object.entries((o.extensionFields ?? {}) as Record<string, string>),
    original: o.includeOriginalMessage === true ? original : undefined,
  });
  await withMessageFile(ctx, async (path) => {
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      for (const part of [message.header, message.body]) {
        for (let n = 0; n < part.length;) n += await file.write(part.subarray(n));
      }
      await file.syncData();
    } finally {
      file.close();
    }
    await ctx.s.submit({
      account: account.name,
      header: message.header,
      mailFrom: identity.email,
      recipients: to.map((address) => ({ address, notify: ["never" as const] })),
      file: path,
      fileSize: message.header.length + message.body.length,
      smtputf8: message.header.some((b) => b > 127),
      has8bit: message.body.some((b) => b > 127),
      requireTls: false,
      ret: undefined,
      envelopeId: undefined,
      notBefore: undefined,
      messageId: `<${messageId}>`,
      subject: "",
    });
  });
  return {
    emailId,
    told: {
      ...(o.finalRecipient === undefined ? { finalRecipient } : {}),
      ...(found === undefined ? {} : { originalMessageId: found }),
      ...(originalRecipient === undefined ? {} : { originalRecipient: originalRecipient.trim() }),
    },
  };
}
