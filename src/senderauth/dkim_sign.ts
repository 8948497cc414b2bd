/** Signs messages (RFC 6376 §5, RFC 8463). @module */
import { Buffer } from "node:buffer";
import { createHash, type KeyObject, sign } from "node:crypto";
import { domainToASCII } from "node:url";
import { type Canonicalization, hashBody, type MessageSource, relaxedField } from "./canonical.ts";
import { scanHeader } from "./header_fields.ts";
import { type SignedHeader, signedHeader } from "./signed_header.ts";

/** A key and how to sign with it. */
export interface DkimSigner {
  /** d= and s=. A domain may be in Unicode; it is written in ASCII. */
  domain: string;
  selector: string;
  /** An RSA or Ed25519 private key. */
  privateKey: KeyObject;
  /**
   * Names of header fields to sign; by default {@link defaultSignedHeaders} and the fields of mailing lists.
   * From is always signed.
   */
  headers?: readonly string[];
  /** Sign each name once more than it occurs, so that none can be added. By default true. */
  oversign?: boolean;
  headerForm?: Canonicalization;
  bodyForm?: Canonicalization;
  /** Seconds from now until x=; no x= if undefined. */
  expiresIn?: number;
  /** i=: an address or "@domain" under the domain. */
  identity?: string;
}

/** Fields that readers see, and those that decide where replies go. */
export const defaultSignedHeaders: readonly string[] = [
  "From",
  "To",
  "Cc",
  "Bcc",
  "Reply-To",
  "References",
  "In-Reply-To",
  "Subject",
  "Date",
  "Message-ID",
  "MIME-Version",
  "Content-Type",
  "Content-Transfer-Encoding",
];

/**
 * Signed by default if present, but never if missing: mailing lists that forward a message add their own. RFC
 * 8058 §4 requires signing those for one-click unsubscribing.
 */
const signedIfPresent: readonly string[] = [
  "Sender",
  "List-Id",
  "List-Help",
  "List-Post",
  "List-Owner",
  "List-Archive",
  "List-Unsubscribe",
  "List-Unsubscribe-Post",
  "TLS-Report-Domain",
  "TLS-Report-Submitter",
];

/**
 * The DKIM-Signature fields for a message, one after the other, to put in front of its header. The body is read
 * once for any number of signers.
 */
export async function signDkim(input: {
  /** The header with or without its empty line. */
  headerBytes: Uint8Array;
  /** The whole message, for its body. */
  message: MessageSource;
  /** Where the body starts in it. */
  bodyOffset: number;
  signers: readonly DkimSigner[];
  now: Date;
}): Promise<string> {
  const { message, bodyOffset, signers } = input;
  const hashes = await signedBodies(message, bodyOffset, signers);
  return signHeader(input.headerBytes, signers, hashes, input.now);
}

/** Hashes of a body, for signing several headers with it. */
export async function signedBodies(
  message: MessageSource,
  bodyOffset: number,
  signers: readonly DkimSigner[],
): Promise<Uint8Array[]> {
  const forms = signers.map((s) => ({ form: s.bodyForm ?? "relaxed" }) as const);
  return (await hashBody(message, bodyOffset, forms)).map((h) => h.digest);
}

/** The same fields as from {@link signDkim}, with known body hashes. */
export function signHeader(
  headerBytes: Uint8Array,
  signers: readonly DkimSigner[],
  hashes: readonly Uint8Array[],
  now: Date,
): string {
  const signed = signedHeader(scanHeader(headerBytes));
  return signers.map((s, i) => dkimField(s, signed, hashes[i], now)).join("");
}

function dkimField(
  signer: DkimSigner,
  signed: SignedHeader,
  bodyHash: Uint8Array,
  now: Date,
): string {
  const headerForm = signer.headerForm ?? "relaxed";
  const bodyForm = signer.bodyForm ?? "relaxed";
  const names = signedNames(signer, signed);
  const time = Math.floor(now.getTime() / 1000);
  const tags = [
    ["v", "1"],
    ["a", signatureAlgorithm(signer.privateKey)],
    ["c", `${headerForm}/${bodyForm}`],
    ["d", domainToASCII(signer.domain)],
    ["s", domainToASCII(signer.selector)],
    ...(signer.identity === undefined ? [] : [["i", signer.identity]]),
    ["t", String(time)],
    ...(signer.expiresIn === undefined ? [] : [["x", String(time + signer.expiresIn)]]),
    ["h", names.join(":")],
    ["bh", Buffer.from(bodyHash).toString("base64")],
  ];
  return signField("DKIM-Signature", tags, signer.privateKey, (unsigned) => [
    ...signed.select(names.map((n) => n.toLowerCase())).map((f) => signed.canonical(f, headerForm)),
    headerForm === "relaxed" ? relaxedField(unsigned) : unsigned,
  ]);
}

function signedNames(signer: DkimSigner, signed: SignedHeader): string[] {
  const wanted = signer.headers ?? defaultSignedHeaders;
  const names = wanted.some((n) => n.toLowerCase() === "from") ? wanted : ["From", ...wanted];
  const times = (name: string, more: number) =>
    new Array<string>(signed.count(name.toLowerCase()) + more).fill(name);
  return [
    ...names.flatMap((name) => times(name, signer.oversign === false ? 0 : 1)),
    ...(signer.headers ? [] : signedIfPresent.flatMap((name) => times(name, 0))),
  ];
}

/** a= for a private key. */
export function signatureAlgorithm(key: KeyObject): "rsa-sha256" | "ed25519-sha256" {
  const type = key.asymmetricKeyType;
  if (type === "rsa") return "rsa-sha256";
  if (type === "ed25519") return "ed25519-sha256";
  throw new TypeError(`a key of type ${type} can't sign mail`);
}

/**
 * A whole field "Name: tags; b=signature" with CRLF. `data` returns the pieces to sign, the last of them made
 * from this field without its signature; its CRLF is removed here.
 */
export function signField(
  name: string,
  tags: readonly (readonly string[])[],
  key: KeyObject,
  data: (unsigned: Uint8Array) => Uint8Array[],
): string {
  const text = `${name}: ${foldTags([...tags.map(([k, v]) => `${k}=${v};`), "b="])}`;
  const pieces = data(Buffer.from(`${text}\r\n`));
  const last = pieces[pieces.length - 1];
  pieces[pieces.length - 1] = last.subarray(0, last.length - 2);
  const bytes = Buffer.concat(pieces);
  const signature = key.asymmetricKeyType === "ed25519"
    ? sign(null, createHash("sha256").update(bytes).digest(), key)
    : sign("sha256", bytes, key);
  return `${text}${foldBase64(signature.toString("base64"))}\r\n`;
}

/** Most characters of a line, below the 78 of RFC 5322 §2.1.1. */
const LINE = 76;

/** Tags over several lines; h= is broken at its colons, bh= fits in a line. */
function foldTags(tags: readonly string[]): string {
  let out = "";
  let length = 24;
  for (const tag of tags) {
    if (length + tag.length + 1 <= LINE) {
      out += out === "" ? tag : ` ${tag}`;
      length += tag.length + 1;
      continue;
    }
    const parts = tag.startsWith("h=") ? tag.split(/(?<=:)/) : [tag];
    for (const [i, part] of parts.entries()) {
      if (i === 0 || length + part.length > LINE) {
        out += `\r\n\t${part}`;
        length = 8 + part.length;
      } else {
        out += part;
        length += part.length;
      }
    }
  }
  return out;
}

function foldBase64(text: string): string {
  let out = "";
  // The first piece follows "b=" on a line that may be nearly full.
  for (let i = 0; i < text.length; i += LINE - 8) out += `\r\n\t${text.slice(i, i + LINE - 8)}`;
  return out;
}
