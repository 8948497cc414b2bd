/**
 * Self-signed certificates: for localserve, for a host until it has one from an authority, for ACME proofs, and
 * for tests.
 *
 * @module
 */
import { generateKeyPair, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import { der, derOid, derTime, pem, Tag } from "./der.ts";
import { parseIp } from "./ip.ts";
import type { KeyCert } from "./types.ts";

/** What a self-signed certificate is for. */
export interface SelfSignedOptions {
  /** DNS names and IP addresses; the first is also the common name. */
  names: string[];
  /** "ecdsa" (P-256) if not given; "rsa" has 2048 bits. */
  keyType?: "ecdsa" | "rsa";
  /** How long it is valid from now on; four years if not given. Negative for one that has expired. */
  days?: number;
  /** It can be installed as its own authority where it should be trusted. */
  authority?: boolean;
  /** SHA-256 of a key authorization: makes it a proof of control for ACME (RFC 8737 §3). */
  acmeIdentifier?: Uint8Array;
}

const encoder = new TextEncoder();
const day = 86_400_000;

/** Creates a key and a certificate signed by that key (RFC 5280). */
export async function selfSignedCertificate(options: SelfSignedOptions): Promise<KeyCert> {
  const rsa = options.keyType === "rsa";
  const authority = options.authority === true;
  const { publicKey, privateKey } = rsa
    ? await promisify(generateKeyPair)("rsa", { modulusLength: 2048 })
    : await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const notAfter = new Date(Date.now() + (options.days ?? 4 * 365) * day);
  // An hour early, for clocks that are a little behind.
  const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 3600_000);

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
    // basicConstraints: an authority or not
    extension(
      "2.5.29.19",
      true,
      der(Tag.sequence, ...authority ? [der(Tag.boolean, Uint8Array.of(0xff))] : []),
    ),
    extension("2.5.29.15", true, keyUsage(rsa, authority)),
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

/** digitalSignature; keyEncipherment for RSA, keyCertSign for an authority. */
function keyUsage(rsa: boolean, authority: boolean): Uint8Array {
  const bits = 0x80 | (rsa ? 0x20 : 0) | (authority ? 0x04 : 0);
  const unused = authority ? 2 : rsa ? 5 : 7;
  return der(Tag.bitString, Uint8Array.of(unused, bits));
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : [];
  return der(Tag.sequence, derOid(oid), ...flag, der(Tag.octetString, value));
}
