/** Self-signed certificates, for a server on the developer's own machine and for tests. @module */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP, isIPv6 } from "node:net";

/** A certificate with its private key, both PEM. */
export interface SelfSigned {
  cert: string;
  key: string;
}

/** DER (X.690): tag, length, contents. */
function der(tag: number, ...contents: Uint8Array[]): Uint8Array {
  const length = contents.reduce((n, c) => n + c.length, 0);
  const head = length < 128
    ? [tag, length]
    : length < 256
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 255];
  const result = new Uint8Array(head.length + length);
  result.set(head);
  let at = head.length;
  for (const c of contents) {
    result.set(c, at);
    at += c.length;
  }
  return result;
}

const sequence = (...c: Uint8Array[]) => der(0x30, ...c);
const octets = (...c: Uint8Array[]) => der(0x04, ...c);
const utf8 = (s: string) => der(0x0c, new TextEncoder().encode(s));
const bits = (c: Uint8Array) => der(0x03, new Uint8Array([0]), c);
const yes = der(0x01, new Uint8Array([0xff]));

function oid(text: string): Uint8Array {
  const [a, b, ...rest] = text.split(".").map(Number);
  const bytes = [a * 40 + b];
  for (const n of rest) {
    const groups = [n & 127];
    for (let m = n >>> 7; m > 0; m >>>= 7) groups.unshift((m & 127) | 128);
    bytes.push(...groups);
  }
  return der(0x06, new Uint8Array(bytes));
}

/** GeneralizedTime; RFC 5280 §4.1.2.5 wants UTCTime until 2049. */
function time(d: Date): Uint8Array {
  const digits = d.toISOString().replace(/[-:T]|\.\d+/g, "");
  return d.getUTCFullYear() < 2050
    ? der(0x17, new TextEncoder().encode(digits.slice(2)))
    : der(0x18, new TextEncoder().encode(digits));
}

function ipBytes(ip: string): Uint8Array {
  if (!isIPv6(ip)) return new Uint8Array(ip.split(".").map(Number));
  // The URL parser writes an IPv6 address in one form, without an IPv4 part.
  const text = new URL(`http://[${ip}]/`).hostname.slice(1, -1);
  const [left, right] = text.split("::").map((s) => s === "" ? [] : s.split(":"));
  const zeros = Array<string>(8 - left.length - (right?.length ?? 0)).fill("0");
  const groups = right === undefined ? left : [...left, ...zeros, ...right];
  return new Uint8Array(groups.flatMap((g) => [parseInt(g, 16) >> 8, parseInt(g, 16) & 255]));
}

function pem(label: string, bytes: Uint8Array): string {
  const base64 = bytes.toBase64().replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

/**
 * Makes a key (ECDSA, P-256) and a certificate for it (RFC 5280), which starts an hour ago for the sake of
 * clocks.
 * @param names domains and IP addresses; the first is the subject.
 * @param days how long it is valid.
 */
export function selfSignedCertificate(names: string[], days: number): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));
  const name = (common: string) => sequence(der(0x31, sequence(oid("2.5.4.3"), utf8(common))));
  const serial = randomBytes(16);
  // Positive, and without leading zero bytes.
  serial[0] = (serial[0] & 0x7f) | 0x40;
  const now = Date.now();
  const alternative = names.map((n) =>
    isIP(n) !== 0 ? der(0x87, ipBytes(n)) : der(0x82, new TextEncoder().encode(n))
  );
  const extensions = [
    sequence(oid("2.5.29.17"), octets(sequence(...alternative))),
    // So that it can be trusted as its own authority.
    sequence(oid("2.5.29.19"), yes, octets(sequence(yes))),
    // digitalSignature, keyCertSign
    sequence(oid("2.5.29.15"), yes, octets(der(0x03, new Uint8Array([2, 0x84])))),
    // serverAuth
    sequence(oid("2.5.29.37"), octets(sequence(oid("1.3.6.1.5.5.7.3.1")))),
  ];
  const body = sequence(
    der(0xa0, der(0x02, new Uint8Array([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name(names[0]),
    sequence(time(new Date(now - 3_600_000)), time(new Date(now + days * 86_400_000))),
    name(names[0]),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, privateKey);
  return {
    cert: pem("CERTIFICATE", sequence(body, ecdsaWithSha256, bits(signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
