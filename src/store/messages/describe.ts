/**
 * Data computed once from an email's content, when it is stored: structure, IMAP texts, summary.
 *
 * @module
 */
import { flattenAddresses } from "../../mail/address/address.ts";
import { parseZonedDate } from "../../mail/header/date.ts";
import {
  type AddressLists,
  EnvelopeTexts,
  imapBodyStructure,
} from "../../mail/structure/envelope.ts";
import { type HeaderField, headerField, splitHeader } from "../../mail/header/header.ts";
import { listedLines } from "../../mail/header/filter.ts";
import { normalizeMessageId, parseMessageIds } from "../../mail/header/messageid.ts";
import { preview } from "../../mail/structure/preview.ts";
import { hasAttachment } from "../../mail/structure/contents.ts";
import { type ParsedMessage, StructureParser } from "../../mail/structure/structure.ts";
import { packStructure } from "../../mail/structure/packed.ts";
import { baseSubject } from "../../mail/header/subject.ts";
import { decodeWords } from "../../mail/header/words.ts";
import { giveWay } from "../../platform/turns.ts";
import { parse as parseDomain } from "tldts";
import {
  type AddressField,
  maxSummaryAddresses,
  maxSummaryText,
  sortSubject,
  type Summary,
  type SummaryAddress,
} from "./summary.ts";

/** Computed from a file's content, without the prefix: several deliveries of a file can share it. */
export interface EmailDescription {
  /** IMAP ENVELOPE, BODY and BODYSTRUCTURE, ready to send. */
  envelope: string;
  body: string;
  bodyStructure: string;
  /** Packed structure of the message with a prefix of the given length in bytes. */
  structure(prefixLength: number): string;
  /** Listed fields of prefix and header (mail/header/filter.ts). */
  listed(prefix: Uint8Array): string | undefined;
  summary: Summary;
  /** For matching threads: base subject in lower case. */
  threadSubject: string;
  isReply: boolean;
  /** The header's fields. */
  fields: readonly HeaderField[];
  organizationalDomain(domain: string): string;
}

/**
 * Characters of a description's fields that grow with the parts of the message; it takes several times that in
 * memory.
 */
export function descriptionSize(d: EmailDescription): number {
  return d.body.length + d.bodyStructure.length;
}

function addresses(list: AddressLists[keyof AddressLists]): SummaryAddress[] {
  return flattenAddresses(list ?? []).slice(0, maxSummaryAddresses).map((address) => ({
    name: address.name.slice(0, maxSummaryText),
    address: `${address.localpart}@${address.domain.toLowerCase()}`.slice(0, maxSummaryText),
  }));
}

/** Names of groups, if there are any. */
function groups(lists: AddressLists): Pick<Summary, "groups"> {
  const found: Summary["groups"] = {};
  for (const field of addressFields) {
    const list = lists[field] ?? [];
    const names = list.flatMap((a) => "group" in a ? [a.group.slice(0, maxSummaryText)] : []);
    if (names.length === 0) continue;
    found[field] = { names: names.slice(0, maxSummaryAddresses), first: "group" in list[0] };
  }
  return Object.keys(found).length > 0 ? { groups: found } : {};
}

const addressFields: readonly AddressField[] = ["from", "to", "cc", "bcc"];
/** Most characters of Subject and Date that are decoded. */
const maxDecoded = 64 * 1024;

/** The registered domain: the public suffix and one label (RFC 7489 §3.2). */
export function organizationalDomain(domain: string): string {
  return parseDomain(domain, { allowPrivateDomains: true }).domain ?? domain;
}

/**
 * Describes a parsed message; `read` returns its bytes, from the file without a prefix. Each step is bounded,
 * and others are served in between.
 */
export async function describe(
  parsed: Pick<ParsedMessage, "root" | "size">,
  read: (from: number, to: number) => Uint8Array,
): Promise<EmailDescription> {
  const { root } = parsed;
  const fields = splitHeader(root.header ?? new Uint8Array(0));
  await giveWay();
  const texts = new EnvelopeTexts();
  const lists = texts.lists(fields);
  await giveWay();
  const envelope = texts.envelope(fields, lists);
  await giveWay();
  const body = imapBodyStructure(root, false, texts);
  await giveWay();
  const bodyStructure = imapBodyStructure(root, true, texts);
  await giveWay();
  const subject = decodeWords((headerField(fields, "subject") ?? "").slice(0, maxDecoded))
    .slice(0, maxSummaryText);
  const { base, isReply } = baseSubject(subject);
  const references = parseMessageIds(headerField(fields, "references") ?? "");
  const fromReferences = references.length;
  for (const id of parseMessageIds(headerField(fields, "in-reply-to") ?? "")) {
    if (!references.includes(id)) references.push(id);
  }
  const date = parseZonedDate((headerField(fields, "date") ?? "").slice(0, maxDecoded));
  const summary: Summary = {
    messageId: normalizeMessageId(headerField(fields, "message-id") ?? ""),
    references: references.slice(-100),
    repliesOnly: Math.min(100, references.length - fromReferences) || undefined,
    subject,
    sortSubject: sortSubject(subject),
    sent: date?.date.getTime(),
    sentZone: date?.zone || undefined,
    from: addresses(lists.from),
    to: addresses(lists.to),
    cc: addresses(lists.cc),
    bcc: addresses(lists.bcc),
    replyTo: addresses(lists["reply-to"]),
    preview: preview(root, read),
    hasAttachment: hasAttachment(root),
    ...groups(lists),
  };
  await giveWay();
  return {
    envelope,
    body,
    bodyStructure,
    structure: (prefixLength) => packStructure(root, prefixLength),
    listed: (prefix) =>
      // A header cut off at its limit doesn't show everything.
      root.header && root.header.length >= root.bodyOffset - 2
        ? listedLines([prefix, root.header])
        : undefined,
    summary,
    threadSubject: base.toLowerCase(),
    isReply,
    fields,
    organizationalDomain,
  };
}

/** Bytes read in one go. Large messages let others run in between. */
const pieceSize = 16 * 1024;

/** Describes a message in memory, without its prefix. */
export async function describeBytes(bytes: Uint8Array): Promise<EmailDescription> {
  const parser = new StructureParser();
  for (let at = 0; at < bytes.length; at += pieceSize) {
    if (at > 0) await giveWay();
    parser.write(bytes.subarray(at, at + pieceSize));
  }
  return await describe(parser.end(), (from, to) => bytes.subarray(from, to));
}

/** Describes a message file, read in pieces. */
export async function describeFile(path: string): Promise<EmailDescription> {
  const file = await Deno.open(path, { read: true });
  try {
    const parser = new StructureParser();
    const buffer = new Uint8Array(pieceSize);
    for (;;) {
      // Messages are in the page cache, so this does not block.
      const n = file.readSync(buffer);
      if (n === null) break;
      parser.write(buffer.subarray(0, n));
      await giveWay();
    }
    return await describe(parser.end(), (from, to) => {
      file.seekSync(from, Deno.SeekMode.Start);
      const out = new Uint8Array(to - from);
      const n = file.readSync(out) ?? 0;
      return out.subarray(0, n);
    });
  } finally {
    file.close();
  }
}
