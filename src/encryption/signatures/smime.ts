/**
 * Checks S/MIME signatures (RFC 8551, RFC 5652): with the certificates in the message, up to a trusted
 * authority. No other servers are asked, so revoked certificates are not noticed.
 *
 * @module
 */
import { constants, createHash, verify, X509Certificate } from "node:crypto";
import { joined } from "../../platform/bytes.ts";
import { sameBytes, type Value } from "./ber.ts";
import { Chains, isTrusted } from "./chain.ts";
import { certificateFields } from "./certificate.ts";
import { certificateOf, readSignedData, type Signer } from "./signed_data.ts";
import { type CheckedSignature, unknownSignature } from "./types.ts";

/** Others, such as SHA-1, prove nothing any more: signatures with them count as unknown. */
const digests: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
/** RSASSA-PSS (RFC 4056). */
const pss = "1.2.840.113549.1.1.10";
/** What is checked. */
export interface SmimeSignature {
  /** The p7s, or the p7m that contains the content too. */
  cms: Uint8Array;
  /** Bytes that are signed, in pieces; undefined if the signature contains it. */
  content: (() => Iterable<Uint8Array>) | undefined;
  /** Address in From, in lower case. */
  from: string;
  /** PEM of authorities that are trusted. */
  trusted: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** Checks a signature. Never throws: a signature that can't be read is "unknown". */
export function checkSmime(signature: SmimeSignature): CheckedSignature {
  try {
    const data = readSignedData(signature.cms);
    const content = signature.content ?? (data.content && (() => [data.content!]));
    if (!content || data.signers.length === 0) return unknownSignature;
    const signed = { content: new Content(content), chains: new Chains(data.certificates) };
    const results = data.signers.map((signer) =>
      checkSigner(signature, signed, data.certificates, signer)
    );
    // RFC 5652 §5.1: each signer's signature counts separately; a failing one must not be hidden by another.
    const order = ["bad", "unknown", "noKey", "other", "held", "good"] as const;
    return results.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
  } catch {
    // Data that is not SignedData, and certificates and keys that the runtime does not support.
    return unknownSignature;
  }
}

/** The signed content; each hash of it is computed once, for all signers. */
class Content {
  readonly #pieces: () => Iterable<Uint8Array>;
  readonly #hashes = new Map<string, Uint8Array>();

  constructor(pieces: () => Iterable<Uint8Array>) {
    this.#pieces = pieces;
  }

  hash(digest: string): Uint8Array {
    let found = this.#hashes.get(digest);
    if (found === undefined) {
      const hash = createHash(digest);
      for (const piece of this.#pieces()) hash.update(piece);
      this.#hashes.set(digest, found = hash.digest());
    }
    return found;
  }

  whole(): Uint8Array {
    return joined([...this.#pieces()]);
  }
}

function checkSigner(
  signature: SmimeSignature,
  { content, chains }: { content: Content; chains: Chains },
  certificates: readonly Uint8Array[],
  signer: Signer,
): CheckedSignature {
  const der = certificateOf(signer, certificates);
  if (!der) return { ...unknownSignature, state: "noKey" };
  const certificate = new X509Certificate(der);
  const fields = certificateFields(der)!;
  const about = {
    signer: fields.name,
    fingerprint: certificate.fingerprint256.replaceAll(":", ""),
  };
  const holds = signatureHolds(content, certificate, signer);
  if (holds === undefined) return { ...about, state: "unknown" };
  if (!holds) return { ...about, state: "bad" };
  if (!fields.addresses.includes(signature.from)) return { ...about, state: "other" };
  // The signer's time is not proven, but a certificate that has expired is valid for what was signed before.
  const at = Math.min(signer.time ?? signature.now, signature.now);
  const trusted = isTrusted(der, chains, signature.trusted, at);
  return { ...about, state: trusted ? "good" : "held" };
}

/** Whether the signature is valid; undefined for algorithms that are not supported here. */
function signatureHolds(
  content: Content,
  certificate: X509Certificate,
  signer: Signer,
): boolean | undefined {
  const digest = digests[signer.digest];
  if (!digest) return undefined;
  const key = certificate.publicKey;
  let signed: Uint8Array;
  if (signer.signed) {
    const { contentDigest } = signer;
    if (!contentDigest || !sameBytes(content.hash(digest), contentDigest)) return false;
    signed = signer.signed;
  } else signed = content.whole();
  if (key.asymmetricKeyType === "ed25519") return verify(null, signed, key, signer.signature);
  if (key.asymmetricKeyType === "ec") return verify(digest, signed, key, signer.signature);
  if (key.asymmetricKeyType !== "rsa") return undefined;
  if (signer.algorithm !== pss) return verify(digest, signed, key, signer.signature);
  const saltLength = saltOf(signer.parameters);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify(digest, signed, { key, padding, saltLength }, signer.signature);
}

/** RFC 4055 §3.1: [2] saltLength, 20 if it isn't given. */
function saltOf(parameters: Value | undefined): number {
  const salt = parameters?.parts.find((p) => p.tag === 0xa2)?.parts[0]?.content;
  return salt === undefined ? 20 : salt.reduce((n, b) => n * 256 + b, 0);
}
