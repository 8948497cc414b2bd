/**
 * The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): the first bytes of a connection, in
 * which a proxy names its client.
 *
 * @module
 */
import { canonicalIp, ipText, parseIp } from "../ip.ts";

/** An address and a port. */
export interface IpPort {
  ip: string;
  port: number;
}

/** TLS between client and proxy, as the proxy reports it. */
export interface ProxiedTls {
  /** Such as "TLSv1.3"; empty if not reported. */
  version: string;
  cipher: string;
}

/** A header. */
export interface ProxyHeader {
  version: 1 | 2;
  /** Undefined for connections of the proxy itself (LOCAL, such as health checks) and unknown addresses. */
  client?: IpPort;
  /** The address that the client connected to; together with `client`. */
  destination?: IpPort;
  /** TLS between client and proxy, terminated there. */
  tls?: ProxiedTls;
  /** Protocol that the client chose when TLS began (ALPN). */
  alpn?: string;
  /** Server name requested by the client. */
  authority?: string;
}

/** Bytes that are not a PROXY header, or one with inconsistent parts. */
export class ProxyHeaderError extends Error {
  constructor(message: string) {
    super(`PROXY header: ${message}`);
    this.name = "ProxyHeaderError";
  }
}

/** Most bytes of version 1, with CRLF (section 2.1). */
const maxV1 = 107;
/** Most bytes of version 2: its length could be 64 KiB; even with a client's certificate a few are used. */
const maxV2 = 16 * 1024;

const signatureV1 = new TextEncoder().encode("PROXY ");
const signatureV2 = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
);

/** A header with its length in bytes. */
export interface ReadHeader {
  header: ProxyHeader;
  length: number;
}

/**
 * Parses the header at the start of the bytes received so far. Linear in its length.
 * @returns "more" if it isn't complete yet, "none" if the bytes begin with something else
 * @throws ProxyHeaderError
 */
export function readProxyHeader(bytes: Uint8Array): ReadHeader | "more" | "none" {
  if (begins(bytes, signatureV2)) return readV2(bytes);
  if (begins(bytes, signatureV1)) return readV1(bytes);
  return "none";
}

/** True if the bytes begin with the signature, or end within it. */
function begins(bytes: Uint8Array, signature: Uint8Array): boolean {
  const n = Math.min(bytes.length, signature.length);
  for (let i = 0; i < n; i++) if (bytes[i] !== signature[i]) return false;
  return true;
}

// ---- version 1

function readV1(bytes: Uint8Array): ReadHeader | "more" {
  const end = bytes.subarray(0, maxV1).indexOf(0x0a);
  if (end < 0) {
    if (bytes.length >= maxV1) throw new ProxyHeaderError(`no line end within ${maxV1} bytes`);
    return "more";
  }
  if (bytes[end - 1] !== 0x0d) throw new ProxyHeaderError("the line doesn't end in CRLF");
  const line = new TextDecoder("latin1").decode(bytes.subarray(0, end - 1));
  const [, family, from, to, fromPort, toPort, ...more] = line.split(" ");
  const length = end + 1;
  // Anything after UNKNOWN must be ignored.
  if (family === "UNKNOWN") return { header: { version: 1 }, length };
  if (family !== "TCP4" && family !== "TCP6") {
    throw new ProxyHeaderError("TCP4, TCP6 or UNKNOWN expected");
  }
  if (toPort === undefined || more.length > 0) {
    throw new ProxyHeaderError("two addresses and two ports expected");
  }
  const client = { ip: addressV1(from, family), port: portV1(fromPort) };
  const destination = { ip: addressV1(to, family), port: portV1(toPort) };
  return { header: { version: 1, client, destination }, length };
}

function addressV1(text: string, family: "TCP4" | "TCP6"): string {
  if (parseIp(text) === undefined || text.includes(":") !== (family === "TCP6")) {
    throw new ProxyHeaderError(`${JSON.stringify(text)} is no address of ${family}`);
  }
  if (text.includes("%")) throw new ProxyHeaderError("an address can't have a zone");
  return canonicalIp(text);
}

function portV1(text: string): number {
  const n = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Infinity;
  if (n > 65535) throw new ProxyHeaderError(`${JSON.stringify(text)} is no port`);
  return n;
}

// ---- version 2

const Tlv = { alpn: 1, authority: 2, crc32c: 3, ssl: 0x20, sslVersion: 0x21, sslCipher: 0x23 };

/** Bytes of the addresses, by family. */
const addressBytes: Record<number, number> = { 0: 0, 1: 12, 2: 36, 3: 216 };

function readV2(bytes: Uint8Array): ReadHeader | "more" {
  if (bytes.length < 16) return "more";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = 16 + view.getUint16(14);
  if (length > maxV2) throw new ProxyHeaderError(`longer than ${maxV2} bytes`);
  if (bytes[12] >> 4 !== 2) throw new ProxyHeaderError(`version ${bytes[12] >> 4} is not known`);
  const command = bytes[12] & 15;
  if (command > 1) throw new ProxyHeaderError(`command ${command} is not known`);
  const family = bytes[13] >> 4;
  const transport = bytes[13] & 15;
  const size = addressBytes[family];
  if (size === undefined) throw new ProxyHeaderError(`address family ${family} is not known`);
  if (transport > 2) throw new ProxyHeaderError(`transport ${transport} is not known`);
  if (command === 1 && (family === 1 || family === 2) && transport !== 1) {
    throw new ProxyHeaderError("a connection by TCP expected");
  }
  if (command === 1 && length < 16 + size) {
    throw new ProxyHeaderError("shorter than its addresses");
  }
  if (bytes.length < length) return "more";
  const header: ProxyHeader = { version: 2 };
  if (command === 0) return { header, length };
  if (family === 1 || family === 2) {
    const each = family === 1 ? 4 : 16;
    const address = (at: number) => canonicalIp(ipText(bytes.slice(at, at + each)));
    const ports = 16 + 2 * each;
    header.client = { ip: address(16), port: view.getUint16(ports) };
    header.destination = { ip: address(16 + each), port: view.getUint16(ports + 2) };
  }
  const all = bytes.subarray(0, length);
  for (const { type, value, at } of tlvs(all, 16 + size)) {
    if (type === Tlv.alpn) header.alpn = textOf(value, "ALPN");
    else if (type === Tlv.authority) header.authority = textOf(value, "authority");
    else if (type === Tlv.crc32c) checkSum(all, value, at);
    else if (type === Tlv.ssl) header.tls = tlsOf(value);
  }
  return { header, length };
}

/** Type, length and value, one after the other. */
function* tlvs(bytes: Uint8Array, from: number) {
  for (let at = from; at < bytes.length;) {
    if (at + 3 > bytes.length) throw new ProxyHeaderError("a TLV is cut off");
    const type = bytes[at];
    const end = at + 3 + bytes[at + 1] * 256 + bytes[at + 2];
    if (end > bytes.length) throw new ProxyHeaderError(`TLV ${type} is longer than the header`);
    yield { type, value: bytes.subarray(at + 3, end), at: at + 3 };
    at = end;
  }
}

function textOf(value: Uint8Array, what: string): string {
  if (value.length > 255 || value.some((c) => c <= 0x20 || c >= 0x7f)) {
    throw new ProxyHeaderError(`${what} has characters that can't be used, or too many`);
  }
  return new TextDecoder("latin1").decode(value);
}

/** Section 2.2.6: flags of the client, the result of verifying its certificate, and TLVs within. */
function tlsOf(value: Uint8Array): ProxiedTls | undefined {
  if (value.length < 5) throw new ProxyHeaderError("the TLV of TLS is cut off");
  const tls = { version: "", cipher: "" };
  for (const { type, value: v } of tlvs(value, 5)) {
    if (type === Tlv.sslVersion) tls.version = textOf(v, "version of TLS");
    else if (type === Tlv.sslCipher) tls.cipher = textOf(v, "cipher of TLS");
  }
  // PP2_CLIENT_SSL: without it the client spoke plain text.
  return value[0] & 1 ? tls : undefined;
}

/** Section 2.2.3: over the header with the checksum's own bytes as zero. */
function checkSum(header: Uint8Array, value: Uint8Array, at: number): void {
  if (value.length !== 4) throw new ProxyHeaderError("the checksum has not 4 bytes");
  const zeroed = header.slice();
  zeroed.fill(0, at, at + 4);
  const checksum = new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
  if (crc32c(zeroed) !== checksum) throw new ProxyHeaderError("the checksum is wrong");
}

/** CRC-32C (RFC 3385), as a number of 32 bits. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i];
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
