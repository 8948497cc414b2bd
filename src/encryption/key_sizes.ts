/**
 * Oversized OpenPGP keys, made only to keep others busy: key sizes unknown to the runtime are computed step by
 * step, and one signature by a key of 65,000 bits took a minute and a half.
 *
 * @module
 */
import type { Key } from "openpgp";

/** Bits of an RSA key; programs create at most 4096, and accept somewhat more. */
const maxRsaBits = 8192;
/** Bytes of its exponent: 65537 has three. */
const maxExponent = 4;
/** A key's subkeys and names, and self-signatures on both. */
const maxParts = 300;

/** The numbers of a public key, in the library's form. */
type Numbers = Record<string, unknown>;

const lengthOf = (x: unknown): number => x instanceof Uint8Array ? x.length : 0;

function isUsual(packet: Pick<Key["keyPacket"], "getAlgorithmInfo">): boolean {
  const { algorithm } = packet.getAlgorithmInfo();
  // The library rejects DSA signatures, but computes them anyway.
  if (algorithm === "dsa") return false;
  if (!algorithm.startsWith("rsa")) return true;
  const numbers = (packet as unknown as { publicParams: Numbers }).publicParams;
  return lengthOf(numbers.n) <= maxRsaBits / 8 && lengthOf(numbers.e) <= maxExponent;
}

/** False for a key that may take long to compute with, or to inspect. */
export function isUsualKey(key: Key): boolean {
  const parts = key.users.reduce((n, u) => n + 1 + u.selfCertifications.length, 0) +
    key.subkeys.reduce((n, s) => n + 1 + s.bindingSignatures.length, 0) +
    key.revocationSignatures.length;
  return parts <= maxParts && key.getKeys().every((k) => isUsual(k.keyPacket));
}
