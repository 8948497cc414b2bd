/** Composes a message from the properties of a new Email (RFC 8621 §4.6). @module */
import { chooseEncoding, composePart, foldField, parameters } from "../../mail/compose.ts";
import { encodeBase64 } from "../../mail/transfer/encode.ts";
import type { Blob } from "../blobs/types.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import { convenient } from "./header_fields.ts";
import { writeHeader } from "./header_writing.ts";

/** A piece of a message: bytes, or a blob with its encoding. */
type Piece = Uint8Array | { blob: Blob; encoding: "base64" | "8bit" };

const encoder = new TextEncoder();
/** Most parts of a message, and most levels of them. */
const maxParts = 1000;
const maxDepth = 30;
/** Bytes of a blob that are encoded at a time: whole lines of base64. */
const blobPiece = 57 * 4096;

/** The sources of the parts. */
interface Sources {
  bodyValues: Record<string, unknown>;
  /** Opens a blob; undefined if there is none. */
  openBlob(id: string): Promise<Blob | undefined>;
}

class Composer {
  readonly #from: Sources;
  readonly blobs: Blob[] = [];
  readonly missing: string[] = [];
  readonly usedValues = new Set<string>();
  /** Names of parts that the client gives in a list, for errors. */
  readonly names = new Map<unknown, string>();
  #parts = 0;

  constructor(from: Sources) {
    this.#from = from;
  }

  /** A part with everything below it. @param position for errors */
  async part(given: unknown, position: string, depth = 0): Promise<Piece[]> {
    const at = this.names.get(given) ?? position;
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw invalidProperties([at], `${at}: a part is an object`);
    }
    if (++this.#parts > maxParts || depth > maxDepth) {
      throw invalidProperties([at], `${at}: more than ${maxParts} parts, or ${maxDepth} levels`);
    }
    const p = given as Record<string, unknown>;
    checkPart(p, at);
    const type = (p.type as string | undefined ?? "text/plain").toLowerCase();
    const { lines, fields } = writeHeader(
      p,
      (f) =>
        !f.startsWith("content-") || f === "content-transfer-encoding" ||
        Object.hasOwn(ofProperty, f) && p[ofProperty[f]] !== undefined &&
          p[ofProperty[f]] !== null,
      false,
    );
    const fixed = [...lines, ...describing(p, fields)];
    if (type.startsWith("multipart/")) return await this.#multipart(p, type, fixed, at, depth);
    if (Array.isArray(p.subParts) && p.subParts.length > 0) {
      throw invalidProperties([`${at}/subParts`], `${at}: only a multipart has parts`);
    }
    if (typeof p.partId === "string") return this.#text(p, type, fixed, fields, at);
    if (typeof p.blobId === "string") return await this.#blob(p, type, fixed, fields, at);
    throw invalidProperties([at], `${at}: a part needs a partId or a blobId`);
  }

  async #multipart(
    p: Record<string, unknown>,
    type: string,
    fixed: string[],
    at: string,
    depth: number,
  ): Promise<Piece[]> {
    if (typeof p.partId === "string" || typeof p.blobId === "string") {
      throw invalidProperties([at], `${at}: a multipart has no content but its parts`);
    }
    const boundary = `=_${crypto.randomUUID()}`;
    const out: Piece[] = [encoder.encode(
      [foldField("Content-Type", `${type}${parameters({ boundary })}`), ...fixed, "\r\n"].join(""),
    )];
    const parts = Array.isArray(p.subParts) ? p.subParts : [];
    let before = "";
    for (const [i, sub] of parts.entries()) {
      out.push(encoder.encode(`${before}--${boundary}\r\n`));
      out.push(...await this.part(sub, `${at}/subParts/${i}`, depth + 1));
      before = "\r\n";
    }
    out.push(encoder.encode(`${before}--${boundary}--\r\n`));
    return out;
  }

  #text(
    p: Record<string, unknown>,
    type: string,
    fixed: string[],
    fields: Set<string>,
    at: string,
  ): Piece[] {
    const id = p.partId as string;
    const value = Object.hasOwn(this.#from.bodyValues, id) ? this.#from.bodyValues[id] : undefined;
    if (value === undefined) {
      throw invalidProperties([`${at}/partId`], `${at}: there is no body value ${id}`);
    }
    for (const name of ["charset", "size"]) {
      if (p[name] !== undefined && p[name] !== null) {
        throw invalidProperties([`${at}/${name}`], `${at}: ${name} can't be given with a partId`);
      }
    }
    if (!type.startsWith("text/")) {
      throw invalidProperties([`${at}/type`], `${at}: a body value is text`);
    }
    this.usedValues.add(id);
    const text = (value as { value: string }).value;
    const data = encoder.encode(text.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"));
    const made = composePart({
      type,
      params: { charset: "utf-8", ...nameOf(p) },
      data,
      encoding: chooseEncoding(data),
    });
    const described = fields.has("content-type") ? made.fields.slice(1) : made.fields;
    return [encoder.encode([...described, ...fixed, "\r\n"].join("")), made.body];
  }

  async #blob(
    p: Record<string, unknown>,
    type: string,
    fixed: string[],
    fields: Set<string>,
    at: string,
  ): Promise<Piece[]> {
    const id = p.blobId as string;
    const blob = await this.#from.openBlob(id);
    if (blob === undefined) {
      this.missing.push(id);
      return [];
    }
    this.blobs.push(blob);
    // RFC 8621 §4.6: a size may be given, and has to be right.
    if (typeof p.size === "number" && p.size !== blob.size) {
      throw invalidProperties([`${at}/size`], `${at}: the blob has ${blob.size} bytes`);
    }
    // RFC 2046 §5.2.1: an embedded message isn't encoded.
    const encoding = type.startsWith("message/") ? "8bit" : "base64";
    const params: Record<string, string> = { ...nameOf(p) };
    if (typeof p.charset === "string" && type.startsWith("text/")) params.charset = p.charset;
    const described = [
      ...fields.has("content-type") ? [] : [foldField("Content-Type", type + parameters(params))],
      foldField("Content-Transfer-Encoding", encoding),
    ];
    return [encoder.encode([...described, ...fixed, "\r\n"].join("")), { blob, encoding }];
  }
}

/** Properties of a part with the header fields that they represent. */
const ofProperty: Record<string, string> = {
  "content-type": "type",
  "content-disposition": "disposition",
  "content-id": "cid",
  "content-language": "language",
  "content-location": "location",
};

const partTypes: Record<string, (x: unknown) => boolean> = {
  partId: (x) => typeof x === "string",
  blobId: (x) => typeof x === "string",
  size: (x) => typeof x === "number",
  name: (x) => typeof x === "string",
  type: (x) =>
    typeof x === "string" &&
    /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/i.test(x),
  charset: (x) => typeof x === "string" && /^[A-Za-z0-9._:+-]{1,60}$/.test(x),
  disposition: (x) => typeof x === "string" && /^[A-Za-z0-9!#$&^_.+-]{1,60}$/.test(x),
  cid: (x) => typeof x === "string" && /^[^\s<>]{1,900}$/.test(x),
  language: (x) => Array.isArray(x) && x.every((l) => /^[A-Za-z0-9-]{1,50}$/.test(String(l))),
  location: (x) => typeof x === "string",
  subParts: (x) => Array.isArray(x),
};

function checkPart(p: Record<string, unknown>, at: string): void {
  for (const [name, value] of Object.entries(p)) {
    if (name.startsWith("header:")) continue;
    const check = Object.hasOwn(partTypes, name) ? partTypes[name] : undefined;
    if (!check) throw invalidProperties([`${at}/${name}`], `${at}: ${name} can't be given`);
    if (value !== null && !check(value)) {
      throw invalidProperties([`${at}/${name}`], `${at}: ${name} can't be so`);
    }
  }
  if (typeof p.partId === "string" && typeof p.blobId === "string") {
    throw invalidProperties([`${at}/partId`, `${at}/blobId`], `${at}: give one of both`);
  }
}

function nameOf(p: Record<string, unknown>): Record<string, string> {
  return typeof p.name === "string" && p.name !== "" ? { name: p.name } : {};
}

/** Fields for the properties of a part that aren't given as header fields. */
function describing(p: Record<string, unknown>, fields: Set<string>): string[] {
  const lines: string[] = [];
  const disposition = typeof p.disposition === "string"
    ? p.disposition.toLowerCase()
    : typeof p.name === "string" && p.name !== ""
    ? "attachment"
    : undefined;
  if (disposition !== undefined && !fields.has("content-disposition")) {
    const filename = nameOf(p).name;
    lines.push(
      foldField(
        "Content-Disposition",
        disposition + parameters(filename === undefined ? {} : { filename }),
      ),
    );
  }
  if (typeof p.cid === "string") lines.push(foldField("Content-ID", `<${p.cid}>`));
  if (Array.isArray(p.language) && p.language.length > 0) {
    lines.push(foldField("Content-Language", p.language.join(", ")));
  }
  if (typeof p.location === "string") lines.push(foldField("Content-Location", p.location));
  return lines;
}

/**
 * The parts of a message whose structure the server chooses.
 * @param names gets the names of the client's parts, for errors
 */
function impliedStructure(o: Record<string, unknown>, names: Map<unknown, string>): unknown {
  const one = (
    name: "textBody" | "htmlBody",
    type: string,
  ): Record<string, unknown> | undefined => {
    const list = o[name];
    if (list === undefined || list === null) return undefined;
    if (!Array.isArray(list) || list.length !== 1 || typeof list[0] !== "object" || !list[0]) {
      throw invalidProperties([name], `${name} must have one part`);
    }
    const part = { type, ...list[0] as Record<string, unknown> };
    if (String(part.type ?? type).toLowerCase() !== type) {
      throw invalidProperties([name], `the part of ${name} must be ${type}`);
    }
    const whole = { ...part, type };
    names.set(whole, `${name}/0`);
    return whole;
  };
  const text = one("textBody", "text/plain");
  const html = one("htmlBody", "text/html");
  const { attachments } = o;
  if (attachments !== undefined && attachments !== null && !Array.isArray(attachments)) {
    throw invalidProperties(["attachments"], "attachments must be an array");
  }
  const all = (attachments ?? []) as Record<string, unknown>[];
  const isRelated = (p: unknown) => {
    const a = p as Record<string, unknown> | null;
    return html !== undefined && a !== null && typeof a === "object" &&
      typeof a.cid === "string" && a.disposition !== "attachment";
  };
  const related = all.filter(isRelated);
  const named = (a: Record<string, unknown>, disposition: string) => {
    const part = { type: "application/octet-stream", disposition, ...dropNulls(a) };
    names.set(part, `attachments/${all.indexOf(a)}`);
    return part;
  };
  const files = all.filter((a) => !isRelated(a)).map((a) =>
    typeof a === "object" && a !== null && !Array.isArray(a) ? named(a, "attachment") : a
  );
  const multipart = (subtype: string, subParts: unknown[]) => ({
    type: `multipart/${subtype}`,
    subParts,
  });
  const inline = related.map((a) => named(a, "inline"));
  const rich = html && inline.length > 0 ? multipart("related", [html, ...inline]) : html;
  const body = text && rich ? multipart("alternative", [text, rich]) : text ?? rich;
  if (files.length > 0) return multipart("mixed", [...body ? [body] : [], ...files]);
  return body;
}

function dropNulls(o: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(o).filter(([, x]) => x !== null && x !== undefined));
}

function checkValues(values: unknown): Record<string, unknown> {
  if (values === undefined || values === null) return {};
  if (typeof values !== "object" || Array.isArray(values)) {
    throw invalidProperties(["bodyValues"], "bodyValues must be an object");
  }
  for (const [id, v] of Object.entries(values)) {
    const at = `bodyValues/${id}`;
    if (typeof v !== "object" || v === null || typeof v.value !== "string") {
      throw invalidProperties([at], `${at}: needs a value`);
    }
    for (const flag of ["isEncodingProblem", "isTruncated"]) {
      if (v[flag] !== undefined && v[flag] !== false) {
        throw invalidProperties([`${at}/${flag}`], `${at}: ${flag} must be false`);
      }
    }
  }
  return values as Record<string, unknown>;
}

const bodyProperties = ["bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments"];

/** True for properties that make up the message. */
export function isMessageProperty(name: string): boolean {
  return bodyProperties.includes(name) || convenient.has(name) || name.startsWith("header:");
}

export interface NewHeader {
  /** With @. */
  messageId: string;
  date: string;
}

/**
 * Writes the message into a file.
 * @param most the most bytes
 * @returns its size
 * @throws SetError invalidProperties, blobNotFound, tooLarge
 */
export async function composeEmail(
  o: Record<string, unknown>,
  path: string,
  preset: NewHeader,
  openBlob: Sources["openBlob"],
  most: number,
): Promise<number> {
  if (o.bodyStructure !== undefined && o.bodyStructure !== null) {
    const others = ["textBody", "htmlBody", "attachments"].filter((p) =>
      o[p] !== undefined && o[p] !== null
    );
    if (others.length > 0) {
      throw invalidProperties(["bodyStructure", ...others], "give the structure, or the bodies");
    }
  }
  const { lines, fields } = writeHeader(o, (f) => f.startsWith("content-"), true);
  const head = [...lines];
  if (!fields.has("date") || o.sentAt === null) head.push(foldField("Date", preset.date));
  if (!fields.has("message-id") || o.messageId === null) {
    head.push(foldField("Message-ID", `<${preset.messageId}>`));
  }
  if (!fields.has("mime-version")) head.push("MIME-Version: 1.0\r\n");
  const bodyValues = checkValues(o.bodyValues);
  const composer = new Composer({ bodyValues, openBlob });
  try {
    const structure = o.bodyStructure ?? impliedStructure(o, composer.names);
    const pieces: Piece[] = structure === undefined
      ? [encoder.encode("Content-Type: text/plain; charset=utf-8\r\n\r\n")]
      : await composer.part(structure, "bodyStructure");
    if (composer.missing.length > 0) {
      throw new SetError("blobNotFound", "there are no such blobs", {
        notFound: [...new Set(composer.missing)],
      });
    }
    return await writePieces([encoder.encode(head.join("")), ...pieces], path, most);
  } finally {
    for (const b of composer.blobs) b.close();
  }
}

async function writePieces(pieces: readonly Piece[], path: string, most: number): Promise<number> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let size = 0;
  const write = async (bytes: Uint8Array) => {
    size += bytes.length;
    if (size > most) throw new SetError("tooLarge", `a message can have ${most} bytes`);
    for (let n = 0; n < bytes.length;) n += await file.write(bytes.subarray(n));
  };
  try {
    for (const p of pieces) {
      if (p instanceof Uint8Array) {
        await write(p);
        continue;
      }
      for (let at = 0; at < p.blob.size; at += blobPiece) {
        const bytes = p.blob.read(at, Math.min(p.blob.size, at + blobPiece));
        await write(p.encoding === "base64" ? encodeBase64(bytes) : bytes);
      }
    }
    await file.syncData();
  } finally {
    file.close();
  }
  return size;
}
