/** Drafts: messages in the mailbox for them, which other mail programs can go on with. @module */
import type {
  Address,
  Attach,
  CallChecked,
  CallResponse,
  ComposeAttachment,
  Composition,
  SendOptions,
} from "../../../../webmail/api/mod.ts";
import * as v from "valibot";
import {
  Composition as CompositionSchema,
  SendOptions as SendOptionsSchema,
} from "../../../../webmail/api/mod.ts";
import { foldField } from "../../../mail/compose.ts";
import { headerField } from "../../../mail/header/header.ts";
import { removeFile } from "../../../platform/files.ts";
import type { Account } from "../../../store/account/account.ts";
import { listedMessage, messagesWithMessageId } from "../../../store/messages/listing.ts";
import { Flag, type Mailbox, type NewMessage, SpecialUse } from "../../../store/types.ts";
import { mailboxForUse } from "../list/actions.ts";
import { bccField, type ComposeContext, composeMessage } from "./compose.ts";
import { headerFields, type MessageContent, partText, withContent } from "../reading/content.ts";
import { missing } from "../errors.ts";
import { sanitizeSoon } from "../html/worker.ts";
import {
  attachmentItem,
  contentId,
  type NumberedPart,
  type SortedParts,
  sortParts,
} from "../reading/parts.ts";
import { typedAddresses } from "./recipients.ts";
import { shownAddresses } from "../list/shown_address.ts";

/**
 * What a draft remembers besides a message: addresses that are not complete yet, and what it answers.
 * Never in a message that is sent.
 */
const field = "X-Mox-Draft";
const Remembered = v.object({
  ...v.pick(CompositionSchema, ["from", "to", "cc", "bcc", "replyTo", "inReplyTo", "forwards"])
    .entries,
  options: v.optional(SendOptionsSchema, { sendAt: null, requireTls: null }),
  /** Why it could not be sent. */
  failure: v.optional(v.string(), ""),
});
type Remembered = v.InferOutput<typeof Remembered>;

/** Bytes of a text that is opened again. */
const maxText = 5_000_000;

function packRemembered(remembered: Remembered): string {
  const { from, to, cc, bcc, replyTo, inReplyTo, forwards, options, failure } = remembered;
  const json = JSON.stringify({
    from,
    to,
    cc,
    bcc,
    replyTo,
    inReplyTo,
    forwards,
    options,
    failure,
  });
  const bytes = new TextEncoder().encode(json);
  let text = "";
  for (let i = 0; i < bytes.length; i += 45) {
    text += ` ${btoa(String.fromCharCode(...bytes.subarray(i, i + 45)))}`;
  }
  return text;
}

function unpackRemembered(value: string | undefined): Remembered | undefined {
  if (value === undefined) return undefined;
  try {
    const bytes = value.trim().split(/\s+/).map((word) =>
      Uint8Array.from(atob(word), (c) => c.charCodeAt(0))
    );
    const json = new TextDecoder().decode(Uint8Array.from(bytes.flatMap((b) => [...b])));
    const r = v.safeParse(Remembered, JSON.parse(json));
    return r.success ? r.output : undefined;
  } catch {
    return undefined;
  }
}

/** The draft that is at this id, if it is one. */
export function isDraft(account: Account, id: number): boolean {
  const m = account.message(id);
  return m !== undefined && (m.flags & Flag.Draft) !== 0;
}

const usualOptions: SendOptions = { sendAt: null, requireTls: null };

/** Message-ID of the message that a page writes under a key. */
export const messageIdOf = (ctx: ComposeContext, key: string): string => `${key}@${ctx.hostname}`;

/** The key of a page under which a message was written, by its Message-ID; undefined if it was otherwise. */
export const keyOf = (messageId: string): string | undefined =>
  /^([0-9a-f-]{36})@/.exec(messageId)?.[1];

/**
 * What there is of a message that is written under a key.
 * @param draftId the draft that is asked for, if it is known: there may be copies of it elsewhere
 */
export function writtenUnder(
  ctx: ComposeContext,
  key: string,
  draftId: number | null = null,
): { draftId: number | undefined; sent: boolean } {
  const { account } = ctx;
  const found = messagesWithMessageId(account.db, messageIdOf(ctx, key), 20);
  const drafts = found.filter((m) => (m.flags & Flag.Draft) !== 0);
  const usual = account.mailboxBySpecialUse(SpecialUse.Drafts)?.id;
  const draft = drafts.find((m) => m.id === draftId) ??
    drafts.find((m) => m.mailboxId === usual) ?? drafts[0];
  return { draftId: draft?.id, sent: draft === undefined && found.length > 0 };
}

/**
 * A page names files as parts of the draft that it knows. Where the answer to a save was lost, another has
 * taken that one's place: then they are parts of that, at the same places.
 */
export async function withPartsOf(
  account: Account,
  composition: Composition,
  known: number | null,
  draftId: number | undefined,
): Promise<Composition> {
  const lost = (a: Attach) => a.kind === "part" && a.messageId === known;
  if (
    known === null || draftId === undefined || account.message(known) !== undefined ||
    !composition.attachments.some(lost)
  ) return composition;
  const names = await withContent(account, draftId, (content) =>
    new Map(
      sortParts(content.root).attachments.map((p) => [p.path, attachmentItem(p, false).filename]),
    ));
  const attachments = composition.attachments.map((a) =>
    a.kind === "part" && lost(a) && names.get(a.path) === a.filename
      ? { ...a, messageId: draftId }
      : a
  );
  return { ...composition, attachments };
}

/** Saves and sends run one after the other for each message: two windows can't make two of it. */
const saving = new Map<string, Promise<unknown>>();

/** Runs when what came before for the same message is done. */
export async function oneAfterTheOther<T>(
  account: Account,
  messageId: string,
  run: () => Promise<T>,
): Promise<T> {
  const name = `${account.name} ${messageId}`;
  const before = saving.get(name) ?? Promise.resolve();
  const mine = before.then(run, run);
  const settled = mine.then(() => {}, () => {});
  saving.set(name, settled);
  try {
    return await mine;
  } finally {
    if (saving.get(name) === settled) saving.delete(name);
  }
}

/**
 * Saves a draft for a page: one for each message, however many windows write it.
 * @param wasSent whether it was sent, also where that was cut off
 */
export function saveDraft(
  ctx: ComposeContext,
  checked: CallChecked<"DraftSave">,
  wasSent: (account: Account, messageId: string) => Promise<boolean>,
): Promise<CallResponse<"DraftSave">> {
  const { key } = checked;
  const options = checked.options ?? usualOptions;
  const save = async (draftId: number | null) => {
    const { account } = ctx;
    const c = await withPartsOf(
      account,
      checked.composition,
      checked.draftId,
      draftId ?? undefined,
    );
    return await putDraft(ctx, draftId, c, { key, options });
  };
  if (key === undefined) return save(checked.draftId);
  const messageId = messageIdOf(ctx, key);
  return oneAfterTheOther(ctx.account, messageId, async () => {
    const sent = await wasSent(ctx.account, messageId);
    const there = writtenUnder(ctx, key, checked.draftId);
    const known = checked.draftId !== null && isDraft(ctx.account, checked.draftId);
    if ((sent || there.sent) && !known) return { draftId: null, conflict: false, attachments: [] };
    if (there.draftId === undefined || there.draftId === checked.draftId) {
      return await save(checked.draftId);
    }
    if (!checked.force && checked.draftId !== null) {
      return { draftId: there.draftId, conflict: true, attachments: [] };
    }
    return await save(there.draftId);
  });
}

/** How a draft is kept. */
export interface DraftPlace {
  key?: string;
  options?: SendOptions;
  failure?: string;
  /** Instead of the mailbox for drafts. */
  mailbox?: Mailbox;
  /** Its date in lists. */
  received?: number;
  flags?: number;
}

/** Saves a draft in place of the one before, if that is still there. */
export async function putDraft(
  ctx: ComposeContext,
  draftId: number | null,
  composition: Composition,
  place: DraftPlace = {},
): Promise<{ draftId: number; attachments: Attach[]; conflict: boolean }> {
  const { account } = ctx;
  const typed = (texts: readonly string[]) => texts.flatMap(typedAddresses);
  const addresses = {
    from: [{ ...splitAddress(composition.from.address), name: composition.from.name }],
    to: typed(composition.to),
    cc: typed(composition.cc),
    bcc: typed(composition.bcc),
    replyTo: typed([composition.replyTo]),
  };
  const remembered = foldField(
    field,
    packRemembered({
      ...composition,
      options: place.options ?? usualOptions,
      failure: place.failure ?? "",
    }),
  );
  const composed = await composeMessage(
    ctx,
    composition,
    addresses,
    [remembered],
    place.key === undefined ? undefined : messageIdOf(ctx, place.key),
  );
  try {
    const m: NewMessage = {
      file: composed.path,
      fileSize: composed.size,
      fileSynced: true,
      prefix: new TextEncoder().encode(bccField(addresses)),
      flags: Flag.Draft | Flag.Seen | (place.flags ?? 0),
      received: place.received,
      noTrain: true,
    };
    const drafts = place.mailbox ?? await mailboxForUse(account, "drafts");
    const old = draftId !== null && isDraft(account, draftId)
      ? account.message(draftId)
      : undefined;
    const saved = old === undefined
      ? (await account.append(drafts.id, [m]))[0]
      : (await account.replace(old.mailboxId, old.uid, drafts.id, m)).message;
    return {
      draftId: saved.id,
      attachments: await ownAttachments(account, saved.id, composition),
      conflict: false,
    };
  } finally {
    removeFile(composed.path);
  }
}

function splitAddress(address: string): { localpart: string; domain: string } {
  const [a] = typedAddresses(address);
  return a ?? { localpart: address.replace(/@.*$/s, ""), domain: "" };
}

/** The attachments as parts of the saved draft, in the order in which they were given. */
function ownAttachments(account: Account, id: number, composition: Composition): Promise<Attach[]> {
  return withContent(account, id, (content) => {
    // Pictures in the text come before the others there.
    const isInline = (a: Attach) =>
      composition.html !== null && a.kind !== "message" && a.cid !== "";
    const order = [
      ...composition.attachments.filter(isInline),
      ...composition.attachments.filter((a) => !isInline(a)),
    ];
    const parts = sortParts(content.root).attachments;
    const found = new Map<Attach, Attach>();
    // An empty file is no part that is listed: it stays what it was.
    if (parts.length === order.length) {
      for (const [i, a] of order.entries()) found.set(a, partOf(id, parts[i], a));
    }
    return composition.attachments.map((a) => found.get(a) ?? a);
  });
}

function partOf(messageId: number, part: NumberedPart, attach: Attach): Attach {
  const item = attachmentItem(part, false);
  return {
    kind: "part",
    messageId,
    path: part.path,
    filename: item.filename,
    cid: attach.kind === "message" ? "" : attach.cid,
  };
}

function typedText(a: Address): string {
  return a.name === "" ? a.address : `${JSON.stringify(a.name)} <${a.address}>`;
}

/**
 * The HTML of a message, for quoting or forwarding.
 * @param style with its style sheets
 * @param base what the page's ids have in addition
 */
export function quotedHtml(
  account: Account,
  id: number,
  style: boolean,
  base: number,
): Promise<CallResponse<"MessageQuote">> {
  return withContent(account, id, async (content) => {
    const parts = sortParts(content.root);
    const html = await draftHtml(account, content, parts) ?? "";
    const pictures = parts.attachments.map((p) => attachmentItem(p, true))
      .filter((f) => f.cid !== "" && html.includes(`cid:${f.cid}`))
      .map((f): ComposeAttachment => ({
        attach: {
          kind: "part",
          messageId: id + base,
          path: f.path,
          filename: f.filename,
          cid: f.cid,
        },
        filename: f.filename,
        type: f.type,
        size: f.size,
      }));
    return { html: style ? html : withoutStyle(html), pictures };
  });
}

/** Sanitised HTML begins with its only style sheet, whose rules would be for the answer as well. */
function withoutStyle(html: string): string {
  return html.startsWith("<style>") ? html.slice(html.indexOf("</style>") + 8) : html;
}

/** The HTML with its pictures named as they are, for going on with; the page doesn't load what is elsewhere. */
async function draftHtml(
  account: Account,
  content: MessageContent,
  parts: SortedParts,
): Promise<string | undefined> {
  if (parts.html.length === 0) return undefined;
  const inline = new Map<string, string>();
  for (const { part } of parts.attachments) {
    const cid = contentId(part);
    if (cid !== "") inline.set(cid, `cid:${cid}`);
  }
  const html = parts.html.map((p) => partText(content, p.part, maxText).text).join("\n");
  return (await sanitizeSoon(account.name, html, { external: true, inline })).html;
}

/** Opens a draft for writing on. @throws HttpError 404 */
export function openDraft(
  account: Account,
  id: number,
): Promise<CallResponse<"DraftGet">> {
  return withContent(account, id, async (content) => {
    const listed = listedMessage(account.db, id);
    if (listed === undefined) throw missing("draft");
    const s = listed.summary;
    const fields = headerFields(content);
    const kept = unpackRemembered(headerField(fields, field.toLowerCase()));
    const typed = (name: string) => shownAddresses(fields, name).map(typedText);
    const parts = sortParts(content.root);
    const html = await draftHtml(account, content, parts);
    const text = parts.texts.map((p) =>
      partText(content, p.part, maxText).text.replaceAll("\r\n", "\n")
    )
      .join("\n");
    const files = parts.attachments.map((p) => attachmentItem(p, html !== undefined));
    const attachments = files.map((f): ComposeAttachment => ({
      attach: {
        kind: "part",
        messageId: id,
        path: f.path,
        filename: f.filename,
        cid: f.inline ? f.cid : "",
      },
      filename: f.filename,
      type: f.type,
      size: f.size,
    }));
    const [from] = s.from;
    return {
      composition: {
        from: kept?.from ?? { name: from?.name ?? "", address: from?.address ?? "" },
        to: kept?.to ?? typed("to"),
        cc: kept?.cc ?? typed("cc"),
        bcc: kept?.bcc ?? typed("bcc"),
        replyTo: kept?.replyTo ?? typed("reply-to").join(", "),
        subject: s.subject,
        text,
        html: html ?? null,
        attachments: attachments.map((a) => a.attach),
        inReplyTo: kept?.inReplyTo ?? null,
        forwards: kept?.forwards ?? [],
      },
      attachments,
      key: keyOf(s.messageId) ?? null,
      options: kept?.options ?? usualOptions,
      failure: kept?.failure ?? "",
    };
  });
}
