/**
 * For whom CMS content is encrypted (RFC 5652 §6.2): the content's key, encrypted to an RSA key, or under a key that is
 * agreed on with an EC key (ECDH, RFC 5753).
 *
 * @module
 */
import {
  constants,
  createCipheriv,
  createHash,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  type X509Certificate,
} from "node:crypto";
import { joined } from "../platform/bytes.ts";
import { oid, value, within } from "./der.ts";

const sequence = 0x30, integer = 0x02, octets = 0x04, bits = 0x03, nul = 0x05, explicit0 = 0xa0;
const rsaEncryption = "1.2.840.113549.1.1.1";
const ecPublicKey = "1.2.840.10045.2.1";
const aes256Wrap = "2.16.840.1.101.3.4.1.45";

/**
 * The algorithm for each curve: dhSinglePass-stdDH with the KDF of an equally strong hash (RFC 5753 §7.1.4).
 */
const agreements: Readonly<Record<string, { hash: string; scheme: string }>> = {
  "prime256v1": { hash: "sha256", scheme: "1.3.132.1.11.1" },
  "secp384r1": { hash: "sha384", scheme: "1.3.132.1.11.2" },
  "secp521r1": { hash: "sha512", scheme: "1.3.132.1.11.3" },
};

/** Curves of keys that something can be encrypted to, as OpenSSL names them. */
export const knownCurves: readonly string[] = Object.keys(agreements);

/** The curve of an EC key; undefined for others. */
export function curveOf(key: KeyObject): string | undefined {
  return key.asymmetricKeyType === "ec" ? key.asymmetricKeyDetails?.namedCurve : undefined;
}

/** Issuer and serial number of a certificate, as encoded in it. @throws RangeError */
function issuerAndSerial(certificate: Uint8Array): Uint8Array {
  const [outer] = within(certificate);
  const [tbs] = within(outer.content);
  // Version, which is tagged, may be missing.
  const fields = within(tbs.content).filter((f, i) => !(i === 0 && f.tag === 0xa0));
  const [serial, , issuer] = fields;
  return value(sequence, issuer.all, serial.all);
}

/** A RecipientInfo, and the version that EnvelopedData with it has (RFC 5652 §6.1). */
export interface Recipient {
  info: Uint8Array;
  envelopedVersion: 0 | 2;
}

/** Encrypts the content's key for a certificate with an RSA key, or with an EC key of {@link knownCurves}. */
export function recipient(certificate: X509Certificate, contentKey: Uint8Array): Recipient {
  const curve = curveOf(certificate.publicKey);
  return curve === undefined
    ? { info: keyTransport(certificate, contentKey), envelopedVersion: 0 }
    : { info: keyAgreement(certificate, curve, contentKey), envelopedVersion: 2 };
}

/** RFC 5652 §6.2.1. */
function keyTransport(certificate: X509Certificate, contentKey: Uint8Array): Uint8Array {
  const encryptedKey = publicEncrypt(
    { key: certificate.publicKey, padding: constants.RSA_PKCS1_PADDING },
    contentKey,
  );
  return value(
    sequence,
    value(integer, new Uint8Array([0])),
    issuerAndSerial(new Uint8Array(certificate.raw)),
    value(sequence, oid(rsaEncryption), value(nul)),
    value(octets, new Uint8Array(encryptedKey)),
  );
}

/** RFC 5652 §6.2.2, with a key pair that is used only once (RFC 5753 §3.1). */
function keyAgreement(
  certificate: X509Certificate,
  curve: string,
  contentKey: Uint8Array,
): Uint8Array {
  const { hash, scheme } = agreements[curve];
  const once = generateKeyPairSync("ec", { namedCurve: curve });
  const secret = diffieHellman({ privateKey: once.privateKey, publicKey: certificate.publicKey });
  // Parameters of AES's wrapping are absent (RFC 3565 §2.3.2).
  const wrap = value(sequence, oid(aes256Wrap));
  const wrapped = wrapKey(agreedKey(hash, new Uint8Array(secret), wrap), contentKey);
  const originator = value(
    0xa1,
    // The curve is that of the recipient's key.
    value(sequence, oid(ecPublicKey)),
    value(bits, new Uint8Array([0]), pointOf(once.publicKey)),
  );
  const forWhom = value(
    sequence,
    issuerAndSerial(new Uint8Array(certificate.raw)),
    value(octets, wrapped),
  );
  return value(
    0xa1,
    value(integer, new Uint8Array([3])),
    value(explicit0, originator),
    value(sequence, oid(scheme), wrap),
    value(sequence, forWhom),
  );
}

/** The point of an EC public key, uncompressed. */
function pointOf(key: KeyObject): Uint8Array {
  const [spki] = within(new Uint8Array(key.export({ type: "spki", format: "der" })));
  // A bit string begins with the number of its unused bits.
  return within(spki.content)[1].content.subarray(1);
}

/** The KDF of ANSI X9.63 for 256 bits, for which none of our hashes is too short (RFC 5753 §7.2). */
function agreedKey(hash: string, secret: Uint8Array, wrap: Uint8Array): Uint8Array {
  const keyBits = value(0xa2, value(octets, new Uint8Array([0, 0, 1, 0])));
  const counter = new Uint8Array([0, 0, 0, 1]);
  const digest = createHash(hash).update(secret).update(counter).update(
    value(sequence, wrap, keyBits),
  ).digest();
  return new Uint8Array(digest).subarray(0, 32);
}

/** AES Key Wrap (RFC 3394 §2.2.1). @param key of 8 bytes times at least 2 */
export function wrapKey(kek: Uint8Array, key: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-ecb", kek, null);
  cipher.setAutoPadding(false);
  const count = key.length / 8;
  let a: Uint8Array = new Uint8Array(8).fill(0xa6);
  const r = Array.from({ length: count }, (_, i) => key.slice(8 * i, 8 * i + 8));
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < count; i++) {
      const b = new Uint8Array(cipher.update(joined([a, r[i]])));
      a = b.slice(0, 8);
      // The step's number, which is far below 256 for keys of this size.
      a[7] ^= count * round + i + 1;
      r[i] = b.slice(8);
    }
  }
  return joined([a, ...r]);
}
