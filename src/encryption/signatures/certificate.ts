/**
 * Fields of a certificate for mail (RFC 5280, RFC 8550) that the runtime's own reader does not give. @module
 */
import { BerError, octets, oidText, readValue, type Value } from "./ber.ts";

const commonName = "2.5.4.3";
const emailAddress = "1.2.840.113549.1.9.1";
const subjectAltName = "2.5.29.17";
const subjectKeyIdentifier = "2.5.29.14";
const keyUsage = "2.5.29.15";
const extendedKeyUsage = "2.5.29.37";
/** Purposes of keys that sign mail: emailProtection, any. */
const forMail = ["1.3.6.1.5.5.7.3.4", "2.5.29.37.0"];
/** Characters of a name that is shown. */
const maxName = 200;

export interface CertificateFields {
  /** DER of the issuer's name. */
  issuer: Uint8Array;
  serial: Uint8Array;
  keyId: Uint8Array | undefined;
  /** Common name of the subject, else an address. */
  name: string;
  /** Addresses that it was issued for, in lower case. */
  addresses: string[];
  /** Its key may sign mail. */
  signsMail: boolean;
  /** Its key may agree on keys with others (keyAgreement, RFC 5280 §4.2.1.3). */
  agreesKeys: boolean;
}

/** Reads them; undefined if it is not a certificate. */
export function certificateFields(der: Uint8Array): CertificateFields | undefined {
  try {
    return read(readValue(der));
  } catch (err) {
    if (err instanceof BerError) return undefined;
    throw err;
  }
}

function read(certificate: Value): CertificateFields | undefined {
  const tbs = certificate.parts[0]?.parts ?? [];
  const [serial, , issuer, , subject] = tbs[0]?.tag === 0xa0 ? tbs.slice(1) : tbs;
  if (!serial || !issuer || !subject) return undefined;
  const extensions = new Map<string, Value>();
  for (const e of tbs.find((p) => p.tag === 0xa3)?.parts[0]?.parts ?? []) {
    const wrapped = e.parts[e.parts.length - 1];
    if (e.parts[0] && wrapped?.tag === 0x04) {
      extensions.set(oidText(e.parts[0]), readValue(octets(wrapped)));
    }
  }
  const names = subject.parts.flatMap((rdn) => rdn.parts).flatMap((a) =>
    a.parts.length === 2 ? [{ type: oidText(a.parts[0]), text: textOf(a.parts[1]) }] : []
  );
  const named = (type: string) => names.filter((n) => n.type === type).map((n) => n.text);
  // RFC 5280 §4.2.1.6: [1] is rfc822Name.
  const alternative = extensions.get(subjectAltName)?.parts.filter((p) => p.tag === 0x81) ?? [];
  const addresses = [...alternative.map(textOf), ...named(emailAddress)];
  const usage = extensions.get(extendedKeyUsage)?.parts.map(oidText);
  // A bit string: the number of unused bits, then digitalSignature as the highest bit.
  const keyUses = extensions.get(keyUsage);
  const keyId = extensions.get(subjectKeyIdentifier);
  return {
    issuer: issuer.all,
    serial: serial.content,
    keyId: keyId && octets(keyId),
    name: (named(commonName)[0] ?? addresses[0] ?? "").slice(0, maxName),
    addresses: [...new Set(addresses.map((a) => a.toLowerCase()))],
    agreesKeys: keyUses === undefined || (keyUses.content[1] & 0x08) !== 0,
    signsMail: usage === undefined || usage.some((u) => forMail.includes(u)),
  };
}

/** Text of any of the string types: BMPString is UTF-16, the others are read as UTF-8. */
function textOf(value: Value): string {
  const label = value.tag === 0x1e ? "utf-16be" : "utf-8";
  return new TextDecoder(label).decode(value.content.subarray(0, 4 * maxName));
}
