/** SignedData of CMS (RFC 5652 §5), as S/MIME uses it. @module */
import { BerError, octets, oidText, readValue, sameBytes, type Value } from "./ber.ts";
import { certificateFields } from "./certificate.ts";

/** Most signers, and most certificates, that are processed. */
const maxSigners = 10;
const maxCertificates = 50;

const signedData = "1.2.840.113549.1.7.2";
const messageDigest = "1.2.840.113549.1.9.4";
const contentType = "1.2.840.113549.1.9.3";
const signingTime = "1.2.840.113549.1.9.5";

/** One signature. */
export interface Signer {
  /** Who signed: issuer and serial number, or the key's identifier. */
  issuer: Uint8Array | undefined;
  serial: Uint8Array | undefined;
  keyId: Uint8Array | undefined;
  digest: string;
  algorithm: string;
  /** Parameters of the signature's algorithm. */
  parameters: Value | undefined;
  /** What is signed, as a SET; undefined if the content itself is. */
  signed: Uint8Array | undefined;
  /** Digest of the content, from the signed attributes. */
  contentDigest: Uint8Array | undefined;
  /** Milliseconds since the epoch, as the signer claims. */
  time: number | undefined;
  signature: Uint8Array;
}

export interface SignedData {
  /** The content, if it is included. */
  content: Uint8Array | undefined;
  /** DER of certificates. */
  certificates: Uint8Array[];
  signers: Signer[];
}

/** @throws BerError if it is invalid */
export function readSignedData(bytes: Uint8Array): SignedData {
  const info = readValue(bytes);
  if (oidText(need(info.parts[0])) !== signedData) throw new BerError("no SignedData");
  const data = need(need(info.parts[1]).parts[0]);
  // version, digestAlgorithms, encapContentInfo, [0] certificates, [1] crls, signerInfos
  const encapsulated = need(data.parts[2]);
  const inside = encapsulated.parts[1]?.parts[0];
  const last = need(data.parts[data.parts.length - 1]);
  if (last.tag !== 0x31) throw new BerError("no signers");
  const certificates = data.parts.find((p) => p.tag === 0xa0)?.parts ?? [];
  return {
    content: inside && octets(inside),
    certificates: certificates.filter((p) => p.tag === 0x30).slice(0, maxCertificates)
      .map((p) => p.all),
    signers: last.parts.slice(0, maxSigners).map(signer),
  };
}

function need(value: Value | undefined): Value {
  if (value === undefined) throw new BerError("a value is missing");
  return value;
}

function signer(info: Value): Signer {
  const [, sid, digestAlgorithm, ...rest] = info.parts;
  const attributes = rest[0]?.tag === 0xa0 ? rest.shift() : undefined;
  const [algorithm, signature] = rest;
  const byIssuer = need(sid).tag === 0x30;
  const time = attribute(attributes, signingTime);
  let signed: Uint8Array | undefined;
  if (attributes) {
    // RFC 5652 §5.4: encoded as SET OF, not with its tag in the message.
    signed = Uint8Array.from(attributes.all);
    signed[0] = 0x31;
    // RFC 5652 §11.1: without a content type the attributes could be content of an attacker's choice.
    if (!attribute(attributes, contentType)) throw new BerError("no content type is signed");
  }
  const digest = attribute(attributes, messageDigest);
  return {
    issuer: byIssuer ? need(sid.parts[0]).all : undefined,
    serial: byIssuer ? need(sid.parts[1]).content : undefined,
    keyId: byIssuer ? undefined : octets(sid),
    digest: oidText(need(need(digestAlgorithm).parts[0])),
    algorithm: oidText(need(need(algorithm).parts[0])),
    parameters: algorithm.parts[1],
    signed,
    contentDigest: digest && octets(digest),
    time: time && timeOf(time),
    signature: octets(need(signature)),
  };
}

function attribute(attributes: Value | undefined, oid: string): Value | undefined {
  const found = attributes?.parts.filter((a) => a.parts[0] && oidText(a.parts[0]) === oid) ?? [];
  // RFC 5652 §11: each once, with one value.
  return found.length === 1 ? found[0].parts[1]?.parts[0] : undefined;
}

/** UTCTime and GeneralizedTime (RFC 5280 §4.1.2.5). */
function timeOf(value: Value): number | undefined {
  const text = new TextDecoder().decode(value.content.subarray(0, 20));
  const m = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!m) return undefined;
  const century = m[1] ?? (Number(m[2]) < 50 ? "20" : "19");
  return Date.parse(`${century}${m[2]}-${m[3]}-${m[4]}T${m[5]}:${m[6]}:${m[7]}Z`) || undefined;
}

/** The certificate that a signer refers to. */
export function certificateOf(
  s: Signer,
  certificates: readonly Uint8Array[],
): Uint8Array | undefined {
  return certificates.find((der) => {
    const fields = certificateFields(der);
    if (!fields) return false;
    if (s.keyId) return fields.keyId !== undefined && sameBytes(s.keyId, fields.keyId);
    return sameBytes(s.issuer!, fields.issuer) && sameBytes(s.serial!, fields.serial);
  });
}
