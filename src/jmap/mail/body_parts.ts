/**
 * Parts of a message in JMAP (RFC 8621 §4.1.4): which are text, which HTML, which attachments.
 *
 * @module
 */
import { parseLanguages } from "../../mail/header/params.ts";
import { decodeWords } from "../../mail/header/words.ts";
import type { Part } from "../../mail/structure/structure.ts";
import {
  asText,
  type HeaderProperty,
  headerValue,
  type RawField,
  rawFields,
} from "./header_fields.ts";
import { decodedSize, headerOf, type MessageSource, type Turns } from "./message_source.ts";

/** A part with its position: "1", or levels separated by "_". */
export interface BodyPart {
  part: Part;
  /** Null for a multipart. */
  partId: string | null;
  children: BodyPart[];
}

/** Most levels and parts that are reported. */
const maxParts = 10_000;

/** The parts of a message, each with its id. */
export function bodyParts(root: Part): BodyPart {
  let count = 0;
  const of = (part: Part, id: string): BodyPart => {
    count++;
    if (part.type !== "multipart") return { part, partId: id === "" ? "1" : id, children: [] };
    const children = part.parts.slice(0, Math.max(0, maxParts - count)).map((p, i) =>
      of(p, id === "" ? String(i + 1) : `${id}_${i + 1}`)
    );
    return { part, partId: null, children };
  };
  return of(root, "");
}

/** The part of an id; undefined if there is none. */
export function partOfId(root: Part, id: string): Part | undefined {
  if (root.type !== "multipart") return id === "1" ? root : undefined;
  let at: Part | undefined = root;
  for (const n of id.split("_")) {
    at = at?.type === "multipart" ? at.parts[Number(n) - 1] : undefined;
  }
  return at?.type === "multipart" ? undefined : at;
}

export function partName(part: Part): string | null {
  const name = part.dispositionParams?.filename ?? part.params.name;
  return name === undefined ? null : decodeWords(name).normalize("NFC");
}

function typeOf(part: Part): string {
  return part.type === "" ? "text/plain" : `${part.type}/${part.subtype}`;
}

/** The parts chosen for display. */
export interface ChosenBodies {
  text: BodyPart[];
  html: BodyPart[];
  attachments: BodyPart[];
}

/** Chooses the parts (RFC 8621 §4.1.4). */
export function chooseBodies(root: BodyPart): ChosenBodies {
  const attachments: BodyPart[] = [];
  const text: BodyPart[] = [];
  const html: BodyPart[] = [];
  choose([root], "mixed", false, text, html, attachments);
  return { text, html, attachments };
}

/** One level. If a list isn't given, that kind of body isn't wanted from these parts. */
function choose(
  parts: readonly BodyPart[],
  multipart: string,
  inAlternative: boolean,
  text: BodyPart[] | undefined,
  html: BodyPart[] | undefined,
  attachments: BodyPart[],
): void {
  const textBefore = text?.length ?? -1;
  const htmlBefore = html?.length ?? -1;
  for (const [i, p] of parts.entries()) {
    const type = typeOf(p.part);
    if (p.part.type === "multipart") {
      const { subtype } = p.part;
      const alternative = inAlternative || subtype === "alternative";
      choose(p.children, subtype, alternative, text, html, attachments);
      continue;
    }
    const isMedia = ["image", "audio", "video"].includes(p.part.type);
    const isShown = p.part.disposition !== "attachment" &&
      (type === "text/plain" || type === "text/html" || isMedia) &&
      // Only the first of related parts is shown on its own; a later text with a name is a file.
      (i === 0 || (multipart !== "related" && (isMedia || partName(p.part) === null)));
    if (!isShown) {
      attachments.push(p);
      continue;
    }
    if (multipart === "alternative") {
      const list = type === "text/plain" ? text : type === "text/html" ? html : attachments;
      list?.push(p);
      continue;
    }
    if (inAlternative) {
      if (type === "text/plain") html = undefined;
      if (type === "text/html") text = undefined;
    }
    text?.push(p);
    html?.push(p);
    if ((!text || !html) && isMedia) attachments.push(p);
  }
  if (multipart === "alternative" && text && html) {
    // If one kind has nothing, the other replaces it.
    if (textBefore === text.length && htmlBefore !== html.length) {
      text.push(...html.slice(htmlBefore));
    }
    if (htmlBefore === html.length && textBefore !== text.length) {
      html.push(...text.slice(textBefore));
    }
  }
}

/** Properties of a part that can be requested. */
export const partProperties = [
  "partId",
  "blobId",
  "size",
  "headers",
  "name",
  "type",
  "charset",
  "disposition",
  "cid",
  "language",
  "location",
  "subParts",
];
/** The default properties (RFC 8621 §4.2). */
export const presetPartProperties = partProperties.filter((p) =>
  p !== "headers" && p !== "subParts"
);

/** Which properties of parts are requested. */
export interface WantedPart {
  properties: ReadonlySet<string>;
  headers: readonly HeaderProperty[];
}

/** The charset of a text, including the implicit one (RFC 2045 §5.2); null for other parts. */
function charsetOf(part: Part): string | null {
  return part.type === "text" || part.type === "" ? part.params.charset ?? "us-ascii" : null;
}

/** A part as an EmailBodyPart. */
export async function partObject(
  source: MessageSource,
  b: BodyPart,
  want: WantedPart,
  turns: Turns,
  withSubParts = false,
): Promise<Record<string, unknown>> {
  const { part } = b;
  const isMultipart = part.type === "multipart";
  let fields: RawField[] | undefined;
  const header = (): RawField[] => fields ??= rawFields(headerOf(source, part));
  const field = (name: string) => header().find((f) => f.name.toLowerCase() === name)?.value;
  const o: Record<string, unknown> = {};
  for (const property of want.properties) {
    switch (property) {
      case "partId":
        o.partId = b.partId;
        break;
      case "blobId":
        o.blobId = isMultipart ? null : `${source.blobId}-${b.partId}`;
        break;
      case "size":
        o.size = isMultipart
          ? part.endOffset - part.bodyOffset
          : await decodedSize(source, part, turns);
        break;
      case "headers":
        o.headers = header().map(({ name, value }) => ({ name, value }));
        break;
      case "name":
        o.name = partName(part);
        break;
      case "type":
        o.type = typeOf(part);
        break;
      case "charset":
        o.charset = charsetOf(part);
        break;
      case "disposition":
        o.disposition = part.disposition ?? null;
        break;
      case "cid":
        o.cid = part.id === undefined ? null : part.id.trim().replace(/^<(.*)>$/, "$1");
        break;
      case "language": {
        const tags = parseLanguages(field("content-language")?.trim());
        o.language = tags.length === 0 ? null : tags;
        break;
      }
      case "location": {
        const location = field("content-location");
        o.location = location === undefined ? null : asText(location).replace(/\s/g, "");
        break;
      }
    }
  }
  for (const h of want.headers) o[h.property] = headerValue(header(), h);
  if (isMultipart && (withSubParts || want.properties.has("subParts"))) {
    o.subParts = [];
    for (const c of b.children) {
      (o.subParts as unknown[]).push(await partObject(source, c, want, turns, withSubParts));
    }
  } else if (want.properties.has("subParts")) o.subParts = null;
  return o;
}
