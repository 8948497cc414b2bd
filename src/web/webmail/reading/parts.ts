/** A message's parts, by the numbers that IMAP gives them, sorted into what is read and what is saved. @module */
import type { Attachment } from "../../../../webmail/api/mod.ts";
import {
  contentId,
  fileNameOf,
  isAttachment,
  isInlineImage,
} from "../../../mail/structure/contents.ts";
import type { Part } from "../../../mail/structure/structure.ts";

export { contentId, fileNameOf } from "../../../mail/structure/contents.ts";

/** A part that isn't a multipart. */
export interface NumberedPart {
  /** As RFC 9051 §6.4.5.1 counts: "1", "2.1". */
  path: string;
  part: Part;
}

/** Parts in their order. Those of an embedded message are under its number. */
export function* numberedParts(root: Part, prefix = ""): Generator<NumberedPart> {
  if (root.parts.length > 0) {
    for (const [i, p] of root.parts.entries()) {
      yield* numberedParts(p, prefix === "" ? String(i + 1) : `${prefix}.${i + 1}`);
    }
    return;
  }
  const path = prefix === "" ? "1" : prefix;
  yield { path, part: root };
  if (root.message === undefined) return;
  // A message that is no multipart has its text as its first part.
  yield* numberedParts(root.message, root.message.parts.length > 0 ? path : `${path}.1`);
}

/** The part with a number; undefined if there is none. */
export function partByPath(root: Part, path: string): Part | undefined {
  for (const p of numberedParts(root)) if (p.path === path) return p.part;
  return undefined;
}

/** Bytes of a part when decoded, nearly. */
export function decodedSize(part: Part): number {
  const size = part.endOffset - part.bodyOffset;
  if (part.encoding !== "base64") return size;
  return Math.max(0, Math.floor((size - 2 * part.lines) * 3 / 4));
}

/** What a person reads of a message, and what is beside it. */
export interface SortedParts {
  texts: NumberedPart[];
  html: NumberedPart[];
  attachments: NumberedPart[];
}

/** Sorts the parts of a message; those of embedded messages stay in them. */
export function sortParts(root: Part): SortedParts {
  const sorted: SortedParts = { texts: [], html: [], attachments: [] };
  const walk = (part: Part, path: string) => {
    if (part.parts.length > 0) {
      part.parts.forEach((c, i) => walk(c, path === "" ? String(i + 1) : `${path}.${i + 1}`));
      return;
    }
    const found = { path: path === "" ? "1" : path, part };
    const attached = isAttachment(part) || fileNameOf(part) !== "";
    if (!attached && part.type === "text" && part.subtype === "plain") sorted.texts.push(found);
    else if (!attached && part.type === "text" && part.subtype === "html") sorted.html.push(found);
    else if (attached || part.endOffset > part.bodyOffset) {
      sorted.attachments.push(found);
    }
  };
  walk(root, "");
  return sorted;
}

export function attachmentItem({ path, part }: NumberedPart, hasHtml: boolean): Attachment {
  const cid = contentId(part);
  return {
    path,
    filename: fileNameOf(part),
    type: `${part.type}/${part.subtype}`,
    size: decodedSize(part),
    inline: hasHtml && isInlineImage(part),
    cid,
  };
}
