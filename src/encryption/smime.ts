/**
 * S/MIME: EnvelopedData of CMS (RFC 5652 §6) for one certificate, AES-256 in CBC (RFC 8551 §2.7), which every
 * program with S/MIME can read. The total length is known beforehand, so it is written piece by piece.
 *
 * @module
 */
import { createCipheriv, randomBytes, type X509Certificate } from "node:crypto";
import { head, oid, value } from "./der.ts";
import { recipient } from "./recipients.ts";

const envelopedData = "1.2.840.113549.1.7.3";
const data = "1.2.840.113549.1.7.1";
const aes256Cbc = "2.16.840.1.101.3.4.1.42";

const sequence = 0x30, set = 0x31, integer = 0x02, octets = 0x04, explicit0 = 0xa0;

/** Encrypts content of a known size for the certificate: DER, in pieces. */
export async function* envelope(
  certificate: X509Certificate,
  content: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  const key = randomBytes(32), iv = randomBytes(16);
  const { info, envelopedVersion } = recipient(certificate, key);
  const version = value(integer, new Uint8Array([envelopedVersion]));
  const algorithm = value(sequence, oid(aes256Cbc), value(octets, new Uint8Array(iv)));
  // Always padded (RFC 5652 §6.3).
  const encryptedSize = (Math.floor(size / 16) + 1) * 16;
  // [0] IMPLICIT OCTET STRING.
  const contentHead = head(0x80, encryptedSize);
  const infoFields = [oid(data), algorithm];
  const infoSize = sum(infoFields) + contentHead.length + encryptedSize;
  const infoHead = head(sequence, infoSize);
  const recipients = value(set, info);
  const envelopedSize = version.length + recipients.length + infoHead.length + infoSize;
  const envelopedHead = head(sequence, envelopedSize);
  const outer = head(explicit0, envelopedHead.length + envelopedSize);
  const type = oid(envelopedData);
  yield head(sequence, type.length + outer.length + envelopedHead.length + envelopedSize);
  for (const part of [type, outer, envelopedHead, version, recipients, infoHead, ...infoFields]) {
    yield part;
  }
  yield contentHead;
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  for await (const piece of content) yield new Uint8Array(cipher.update(piece));
  yield new Uint8Array(cipher.final());
}

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((n, p) => n + p.length, 0);
}
