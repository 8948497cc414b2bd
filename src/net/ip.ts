/**
 * IP addresses as bytes and as networks: the keys of limits, reputation and logs.
 *
 * @module
 */

/** 4 or 16 bytes of an IP address in text form, undefined if it is not one. IPv4 in IPv6 gives 4 bytes. */
export function parseIp(text: string): Uint8Array | undefined {
  const zone = text.indexOf("%");
  if (zone >= 0) text = text.slice(0, zone);
  if (text.length > 45) return undefined;
  if (!text.includes(":")) return parseIpv4(text);
  const v6 = parseIpv6(text);
  if (v6 === undefined) return undefined;
  // ::ffff:192.0.2.1, as a socket listening on both families shows IPv4 peers.
  for (let i = 0; i < 10; i++) if (v6[i] !== 0) return v6;
  return v6[10] === 0xff && v6[11] === 0xff ? v6.slice(12) : v6;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const p = parts[i];
    if (p.length === 0 || p.length > 3 || (p.length > 1 && p[0] === "0")) return undefined;
    let n = 0;
    for (let k = 0; k < p.length; k++) {
      const d = p.charCodeAt(k) - 48;
      if (d < 0 || d > 9) return undefined;
      n = n * 10 + d;
    }
    if (n > 255) return undefined;
    bytes[i] = n;
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1], true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const total = head.length + tail.length;
  if (halves.length === 2 ? total > 14 : total !== 16) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function groups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const out: number[] = [];
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    const p = parts[i];
    if (mayEndInIpv4 && i === parts.length - 1 && p.includes(".")) {
      const v4 = parseIpv4(p);
      if (v4 === undefined) return undefined;
      out.push(...v4);
      continue;
    }
    if (p.length === 0 || p.length > 4) return undefined;
    let n = 0;
    for (let k = 0; k < p.length; k++) {
      const d = hexDigit(p.charCodeAt(k));
      if (d < 0) return undefined;
      n = n * 16 + d;
    }
    out.push(n >> 8, n & 255);
  }
  return out;
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  c |= 32;
  return c >= 97 && c <= 102 ? c - 87 : -1;
}

/** Text of an address: dotted for 4 bytes, RFC 5952 form for 16. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const g: number[] = [];
  for (let i = 0; i < 16; i += 2) g.push(bytes[i] * 256 + bytes[i + 1]);
  // RFC 5952 §4.2: the longest run of at least two zero groups is shortened, the first of equally long ones.
  let start = -1, length = 1;
  for (let i = 0; i < 8;) {
    let n = 0;
    while (i + n < 8 && g[i + n] === 0) n++;
    if (n > length) [start, length] = [i, n];
    i += n || 1;
  }
  const hex = (list: number[]) => list.map((n) => n.toString(16)).join(":");
  return start < 0 ? hex(g) : `${hex(g.slice(0, start))}::${hex(g.slice(start + length))}`;
}

/** The address in the spelling used throughout; other texts are returned unchanged. */
export function canonicalIp(text: string): string {
  const bytes = parseIp(text);
  return bytes === undefined ? text : ipText(bytes);
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopbackIp(text: string): boolean {
  const b = parseIp(text);
  if (b === undefined) return false;
  if (b.length === 4) return b[0] === 127;
  return b[15] === 1 && b.subarray(0, 15).every((n) => n === 0);
}

/** The network of the given prefix length in CIDR form, e.g. "192.0.2.0/26". */
export function networkOf(bytes: Uint8Array, prefixLength: number): string {
  const masked = bytes.slice();
  for (let i = 0; i < masked.length; i++) {
    const keep = Math.min(8, Math.max(0, prefixLength - i * 8));
    masked[i] &= (0xff00 >> keep) & 0xff;
  }
  return `${ipText(masked)}/${prefixLength}`;
}

/**
 * The networks that an address is counted in, narrow to wide: /32, /26 and /21 of IPv4, /64, /48
 * and /32 of IPv6 (a /64 is what one subscriber gets, so a single IPv6 address means little).
 */
export function networksOf(ip: string): [string, string, string] {
  const b = parseIp(ip);
  if (b === undefined) return [ip, ip, ip];
  const widths = b.length === 4 ? [32, 26, 21] : [64, 48, 32];
  return [networkOf(b, widths[0]), networkOf(b, widths[1]), networkOf(b, widths[2])];
}
