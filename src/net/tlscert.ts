/**
 * Certificates: self-signed ones for localserve and tests, TLS contexts made once per certificate,
 * and the channel binding that is computed from one.
 *
 * @module
 */
import { createHash, generateKeyPair, randomBytes, sign } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { promisify } from "node:util";
import { der, derOid, derTime, fromPem, oidText, pem, readDer, readDerList, Tag } from "./der.ts";
import { parseIp } from "./ip.ts";
import type { KeyCert } from "./types.ts";

/** What a self-signed certificate is for. */
export interface SelfSignedOptions {
  /** DNS names and IP addresses; the first is also the common name. */
  names: string[];
  /** "ecdsa" (P-256) if not given; "rsa" has 2048 bits. */
  keyType?: "ecdsa" | "rsa";
  /** One hour ago if not given, for clocks that are a little behind. */
  notBefore?: Date;
  /** Four years after notBefore if not given. */
  notAfter?: Date;
  /** SHA-256 of a key authorization: makes it a proof of control for ACME (RFC 8737 §3). */
  acmeIdentifier?: Uint8Array;
}

const encoder = new TextEncoder();

/** Makes a key and a certificate for it that the key itself has signed (RFC 5280). */
export async function selfSignedCertificate(options: SelfSignedOptions): Promise<KeyCert> {
  const rsa = options.keyType === "rsa";
  const { publicKey, privateKey } = rsa
    ? await promisify(generateKeyPair)("rsa", { modulusLength: 2048 })
    : await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const notBefore = options.notBefore ?? new Date(Date.now() - 3600_000);
  const notAfter = options.notAfter ?? new Date(notBefore.getTime() + 4 * 365 * 86400_000);

  const algorithm = rsa
    ? der(Tag.sequence, derOid("1.2.840.113549.1.1.11"), der(Tag.null)) // sha256WithRSAEncryption
    : der(Tag.sequence, derOid("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
  const commonName = encoder.encode((options.names[0] ?? "localhost").slice(0, 64));
  const name = der(
    Tag.sequence,
    der(Tag.set, der(Tag.sequence, derOid("2.5.4.3"), der(Tag.utf8String, commonName))),
  );
  const alternatives = options.names.map((n) => {
    const ip = parseIp(n);
    return ip === undefined
      ? der(Tag.context(2), encoder.encode(n))
      : der(Tag.context(7), Uint8Array.from(ip));
  });
  const extensions = [
    extension("2.5.29.17", false, der(Tag.sequence, ...alternatives)), // subjectAltName
    extension("2.5.29.19", true, der(Tag.sequence)), // basicConstraints: no CA
    // keyUsage: digitalSignature, and keyEncipherment for RSA.
    extension("2.5.29.15", true, der(Tag.bitString, Uint8Array.of(rsa ? 5 : 7, rsa ? 0xa0 : 0x80))),
    // extKeyUsage: serverAuth, clientAuth
    extension(
      "2.5.29.37",
      false,
      der(Tag.sequence, derOid("1.3.6.1.5.5.7.3.1"), derOid("1.3.6.1.5.5.7.3.2")),
    ),
  ];
  if (options.acmeIdentifier) {
    extensions.push(
      extension("1.3.6.1.5.5.7.1.31", true, der(Tag.octetString, options.acmeIdentifier)),
    );
  }
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = (serial[0] & 0x7f) | 0x40; // positive, without a leading zero byte

  const tbs = der(
    Tag.sequence,
    der(Tag.constructedContext(0), der(Tag.integer, Uint8Array.of(2))), // v3
    der(Tag.integer, serial),
    algorithm,
    name,
    der(Tag.sequence, derTime(notBefore), derTime(notAfter)),
    name,
    Uint8Array.from(publicKey.export({ type: "spki", format: "der" })),
    der(Tag.constructedContext(3), der(Tag.sequence, ...extensions)),
  );
  const signature = sign("sha256", tbs, privateKey);
  const certificate = der(
    Tag.sequence,
    tbs,
    algorithm,
    der(Tag.bitString, Uint8Array.of(0), Uint8Array.from(signature)),
  );
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: pem("CERTIFICATE", certificate),
  };
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : [];
  return der(Tag.sequence, derOid(oid), ...flag, der(Tag.octetString, value));
}

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
 * The "tls-server-end-point" channel binding of a connection whose server showed this certificate
 * (RFC 5929 §4.1). Undefined where it isn't defined: signatures without a hash of their own, such
 * as Ed25519.
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

/** A certificate made ready for handshakes. */
export interface PreparedCertificate {
  context: SecureContext;
  endPoint: Uint8Array | undefined;
}

const prepared = new Map<string, PreparedCertificate>();
const maxPrepared = 500;

/** The TLS context of a certificate, made at its first use. Throws if key and certificate don't fit. */
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
