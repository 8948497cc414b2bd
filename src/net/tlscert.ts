/**
 * Certificates in use: TLS contexts created once per certificate, and the channel binding computed from one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { fromPem, oidText, readDer, readDerList, Tag } from "./der.ts";
import type { KeyCert } from "./types.ts";

const hashBySignature: Record<string, string> = {
  "1.2.840.113549.1.1.4": "sha256", // md5WithRSAEncryption: RFC 5929 §4.1 takes SHA-256 for it
  "1.2.840.113549.1.1.5": "sha256", // sha1WithRSAEncryption: likewise
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.113549.1.1.14": "sha224",
  "1.2.840.10045.4.1": "sha256", // ecdsa-with-SHA1
  "1.2.840.10045.4.3.1": "sha224",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const hashByOid: Record<string, string> = {
  "1.3.14.3.2.26": "sha256", // sha1
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
  "2.16.840.1.101.3.4.2.4": "sha224",
};

/**
 * The "tls-server-end-point" channel binding of a connection whose server showed this certificate (RFC 5929
 * §4.1). Undefined for signatures without their own hash, such as Ed25519.
 */
export function endPointBinding(certificate: Uint8Array): Uint8Array | undefined {
  const outer = readDer(certificate);
  const parts = outer && readDerList(outer.content);
  const algorithm = parts?.length === 3 ? readDerList(parts[1].content) : undefined;
  if (algorithm === undefined || algorithm[0]?.tag !== Tag.oid) return undefined;
  const oid = oidText(algorithm[0].content);
  const hash = oid === "1.2.840.113549.1.1.10" ? pssHash(algorithm[1]) : hashBySignature[oid];
  if (hash === undefined) return undefined;
  return Uint8Array.from(createHash(hash).update(certificate).digest());
}

/** The hash of RSASSA-PSS-params (RFC 4055 §3.1); SHA-1 is its default. */
function pssHash(params: { tag: number; content: Uint8Array } | undefined): string | undefined {
  if (params === undefined) return undefined;
  const fields = readDerList(params.content);
  if (fields === undefined) return undefined;
  const hash = fields.find((f) => f.tag === Tag.constructedContext(0));
  if (hash === undefined) return hashByOid["1.3.14.3.2.26"];
  const algorithm = readDer(hash.content);
  const oid = algorithm && readDer(algorithm.content);
  return oid?.tag === Tag.oid ? hashByOid[oidText(oid.content)] : undefined;
}

/** A certificate prepared for handshakes. */
export interface PreparedCertificate {
  context: SecureContext;
  endPoint: Uint8Array | undefined;
}

const prepared = new Map<string, PreparedCertificate>();
/** Most certificates kept prepared. */
const maxPrepared = 500;

/** The TLS context of a certificate, created on first use. Throws if key and certificate don't match. */
export function prepareCertificate(pair: KeyCert): PreparedCertificate {
  const id = pair.cert + pair.key;
  const known = prepared.get(id);
  if (known !== undefined) return known;
  const first = fromPem(pair.cert, "CERTIFICATE");
  const made: PreparedCertificate = {
    context: createSecureContext({ key: pair.key, cert: pair.cert, minVersion: "TLSv1.2" }),
    endPoint: first && endPointBinding(first),
  };
  if (prepared.size >= maxPrepared) {
    const oldest = prepared.keys().next().value;
    if (oldest !== undefined) prepared.delete(oldest);
  }
  prepared.set(id, made);
  return made;
}
