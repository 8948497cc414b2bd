/** Emails in JMAP, with the requested properties (RFC 8621 §4.1, §4.2). @module */
import { emailContent } from "../../store/messages/content.ts";
import * as v from "valibot";
import { listedFields } from "../../mail/header/filter.ts";
import { preview } from "../../mail/structure/preview.ts";
import { parseSummary } from "../../store/messages/summary.ts";
import { MethodError } from "../core/errors.ts";
import { unsignedInt, utcDateOf } from "../core/types.ts";
import {
  type BodyPart,
  bodyParts,
  chooseBodies,
  partObject,
  partProperties,
  presetPartProperties,
  type WantedPart,
} from "./body_parts.ts";
import { bodyValue } from "./body_values.ts";
import {
  convenient,
  type HeaderProperty,
  headerProperty,
  headerValue,
  type RawField,
  rawFields,
} from "./header_fields.ts";
import { mailboxIdOf, slotId, threadIdOf } from "./ids.ts";
import { keywordsOfSlot } from "./keywords.ts";
import { headerOf, type MessageSource, storedMessage, type Turns } from "./message_source.ts";
import { smimeOf, smimeProperties } from "./smime.ts";
import type { MailView } from "./view.ts";

/** Arguments that choose what is returned of bodies. */
export const bodyEntries = {
  properties: v.optional(v.nullable(v.array(v.string()))),
  bodyProperties: v.optional(v.nullable(v.array(v.string()))),
  fetchTextBodyValues: v.optional(v.nullable(v.boolean())),
  fetchHTMLBodyValues: v.optional(v.nullable(v.boolean())),
  fetchAllBodyValues: v.optional(v.nullable(v.boolean())),
  maxBodyValueBytes: v.optional(v.nullable(unsignedInt)),
};
type BodyArgs = {
  [K in keyof typeof bodyEntries]?: v.InferOutput<typeof bodyEntries[K]>;
};

/** Properties of the email in the account, not of the message. */
const metadata = ["id", "threadId", "mailboxIds", "keywords", "receivedAt"];
const ofBody = ["bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments"];
const all = [
  ...metadata,
  "blobId",
  "size",
  "headers",
  ...convenient.keys(),
  ...ofBody,
  "hasAttachment",
  "preview",
];
/** Default properties of Email/get and Email/parse. */
export const presetOfGet = all.filter((p) => p !== "headers" && p !== "bodyStructure");
export const presetOfParse = presetOfGet.filter((p) =>
  ![...metadata, "blobId", "size"].includes(p)
);

/** The requested properties of emails. */
export interface WantedEmail {
  properties: ReadonlySet<string>;
  headers: readonly HeaderProperty[];
  part: WantedPart;
  textValues: boolean;
  htmlValues: boolean;
  allValues: boolean;
  maxValue: number;
}

function split(
  asked: readonly string[],
  known: readonly string[],
  argument: string,
): { properties: Set<string>; headers: HeaderProperty[] } {
  const properties = new Set<string>();
  const headers = new Map<string, HeaderProperty>();
  for (const p of asked) {
    const h = headerProperty(p);
    if (h) headers.set(p, h);
    else if (known.includes(p)) properties.add(p);
    else {
      throw new MethodError("invalidArguments", `${argument}: there is no ${p.slice(0, 200)}`);
    }
  }
  return { properties, headers: [...headers.values()] };
}

/**
 * Reads the arguments.
 * @param more further properties that can be requested
 * @throws MethodError invalidArguments
 */
export function wantedEmail(
  args: BodyArgs,
  preset: readonly string[],
  more: readonly string[] = [],
): WantedEmail {
  const own = split(args.properties ?? preset, [...all, ...more], "properties");
  for (const [name, h] of convenient) if (own.properties.delete(name)) own.headers.push(h);
  return {
    ...own,
    part: split(args.bodyProperties ?? presetPartProperties, partProperties, "bodyProperties"),
    textValues: args.fetchTextBodyValues ?? false,
    htmlValues: args.fetchHTMLBodyValues ?? false,
    allValues: args.fetchAllBodyValues ?? false,
    maxValue: args.maxBodyValueBytes ?? 0,
  };
}

/** Header fields and bodies of a message. */
async function content(
  source: MessageSource,
  fields: () => readonly RawField[],
  want: WantedEmail,
  turns: Turns,
): Promise<Record<string, unknown>> {
  const o: Record<string, unknown> = {};
  for (const h of want.headers) o[h.property] = headerValue(fields(), h);
  const { properties } = want;
  if (properties.has("headers")) {
    o.headers = rawFields(headerOf(source, source.root)).map(({ name, value }) => ({
      name,
      value,
    }));
  }
  if (!ofBody.some((p) => properties.has(p))) return o;
  const root = bodyParts(source.root);
  const chosen = chooseBodies(root);
  const list = async (parts: readonly BodyPart[]) => {
    const r: unknown[] = [];
    for (const p of parts) r.push(await partObject(source, p, want.part, turns));
    return r;
  };
  if (properties.has("bodyStructure")) {
    o.bodyStructure = await partObject(source, root, want.part, turns, true);
  }
  if (properties.has("textBody")) o.textBody = await list(chosen.text);
  if (properties.has("htmlBody")) o.htmlBody = await list(chosen.html);
  if (properties.has("attachments")) o.attachments = await list(chosen.attachments);
  if (!properties.has("bodyValues")) return o;
  const texts = new Map<string, BodyPart>();
  const take = (parts: readonly BodyPart[]) => {
    for (const p of parts) {
      if (p.partId !== null && (p.part.type === "text" || p.part.type === "")) {
        texts.set(p.partId, p);
      }
    }
  };
  if (want.textValues || want.allValues) take(chosen.text);
  if (want.htmlValues || want.allValues) take(chosen.html);
  if (want.allValues) takeAll(root, take);
  const values: Record<string, unknown> = {};
  for (const [id, p] of texts) values[id] = await bodyValue(source, p.part, want.maxValue, turns);
  o.bodyValues = values;
  return o;
}

function takeAll(part: BodyPart, take: (parts: readonly BodyPart[]) => void): void {
  take([part]);
  for (const c of part.children) takeAll(c, take);
}

/** An email of the account, by its slot. @param trusted PEM of authorities, for S/MIME */
export async function storedEmail(
  view: MailView,
  slot: number,
  want: WantedEmail,
  turns: Turns,
  trusted: readonly string[] = [],
): Promise<Record<string, unknown> | undefined> {
  const { index, account } = view;
  const emailId = index.emailAt(slot);
  const { properties } = want;
  const o: Record<string, unknown> = { id: slotId(index, slot) };
  if (properties.has("blobId")) o.blobId = `B${emailId}`;
  if (properties.has("threadId")) o.threadId = threadIdOf(index.threadId[slot]);
  if (properties.has("mailboxIds")) {
    o.mailboxIds = Object.fromEntries(
      view.mailboxesOf(slot).map((id) => [mailboxIdOf(id), true]),
    );
  }
  if (properties.has("keywords")) o.keywords = keywordsOfSlot(index, slot);
  if (properties.has("size")) o.size = index.size[slot];
  if (properties.has("receivedAt")) o.receivedAt = utcDateOf(index.received[slot]);
  const needsSummary = properties.has("preview") || properties.has("hasAttachment");
  const needsContent = want.headers.length > 0 || properties.has("headers") ||
    ofBody.some((p) => properties.has(p));
  const needsSmime = smimeProperties.some((p) => properties.has(p));
  if (!needsSummary && !needsContent && !needsSmime) return o;
  const kept = emailContent(account.db, emailId);
  if (!kept) return undefined;
  if (needsSummary) {
    const summary = parseSummary(kept.summary);
    if (properties.has("preview")) o.preview = summary.preview;
    if (properties.has("hasAttachment")) o.hasAttachment = summary.hasAttachment;
  }
  if (needsSmime) {
    const checks = { account, trusted };
    Object.assign(o, smimeOf(checks, emailId, kept.structure, index.received[slot], properties));
  }
  if (!needsContent) return o;
  const m = storedMessage(account, emailId, kept.structure);
  try {
    let fields: RawField[] | undefined;
    const listed = kept.listed !== null && want.headers.every((h) => listedFields.has(h.field));
    const read = () =>
      fields ??= rawFields(
        listed ? new TextEncoder().encode(kept.listed!) : headerOf(m, m.root),
      );
    return { ...o, ...await content(m, read, want, turns) };
  } finally {
    m.close();
  }
}

/** A message that is not an email of the account (RFC 8621 §4.9). */
export async function parsedEmail(
  source: MessageSource,
  size: number,
  want: WantedEmail,
  turns: Turns,
): Promise<Record<string, unknown>> {
  const { properties } = want;
  const o: Record<string, unknown> = {};
  // RFC 8621 §4.9: these exist only for an account's email, so they are null here.
  for (const p of metadata) if (properties.has(p)) o[p] = null;
  if (properties.has("blobId")) o.blobId = source.blobId;
  if (properties.has("size")) o.size = size;
  if (properties.has("hasAttachment")) {
    o.hasAttachment = chooseBodies(bodyParts(source.root)).attachments.some((b) =>
      b.part.disposition !== "inline"
    );
  }
  if (properties.has("preview")) {
    o.preview = preview(source.root, (from, to) => source.read(from, to));
  }
  let fields: RawField[] | undefined;
  const read = () => fields ??= rawFields(headerOf(source, source.root));
  return { ...o, ...await content(source, read, want, turns) };
}
