/** IP addresses as bytes: parsing, formatting, networks and names in the reverse tree. @module */

/**
 * The 4 or 16 bytes of an address in text, undefined if it is none. An IPv4-mapped IPv6 address
 * (::ffff:192.0.2.1) gives the 4 bytes of the IPv4 address: that is who connected. A zone
 * ("%eth0") is dropped.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (text.length > 64) return undefined;
  if (!text.includes(":")) return parseIpv4(text);
  const percent = text.indexOf("%");
  const bytes = parseIpv6(percent < 0 ? text : text.slice(0, percent));
  if (!bytes) return undefined;
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** The 4 bytes of a dotted quad without leading zeros. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".", 5);
  if (parts.length !== 4 || text.length > 15) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const n = decimal(parts[i], 3);
    if (n === undefined || n > 255) return undefined;
    bytes[i] = n;
  }
  return bytes;
}

/** The 16 bytes of an IPv6 address (RFC 4291 §2.2), mapped ones included. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::", 3);
  if (halves.length > 2) return undefined;
  const head = groups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1], true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  all.forEach((g, i) => {
    bytes[2 * i] = g >> 8;
    bytes[2 * i + 1] = g & 0xff;
  });
  return bytes;
}

function groups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":", 9);
  const out: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseIpv4(part);
      if (!v4) return undefined;
      out.push(v4[0] << 8 | v4[1], v4[2] << 8 | v4[3]);
    } else {
      if (part === "" || part.length > 4) return undefined;
      let n = 0;
      for (let j = 0; j < part.length; j++) {
        const digit = hexDigit(part.charCodeAt(j));
        if (digit < 0) return undefined;
        n = n << 4 | digit;
      }
      out.push(n);
    }
  }
  return out.length > 8 ? undefined : out;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** A decimal number without leading zeros, of at most `maxDigits` digits. */
export function decimal(text: string, maxDigits: number): number | undefined {
  if (text === "" || text.length > maxDigits || (text.length > 1 && text[0] === "0")) {
    return undefined;
  }
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const d = text.charCodeAt(i) - 0x30;
    if (d < 0 || d > 9) return undefined;
    n = n * 10 + d;
  }
  return n;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Text of an address: dotted quad, or RFC 5952 for 16 bytes. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const g: number[] = [];
  for (let i = 0; i < 16; i += 2) g.push(bytes[i] << 8 | bytes[i + 1]);
  // RFC 5952 §4.2: the longest run of zero groups is shortened, the first of equal ones, never a single one.
  let best = -1, bestLength = 1;
  for (let i = 0; i < 8;) {
    let j = i;
    while (j < 8 && g[j] === 0) j++;
    if (j - i > bestLength) {
      best = i;
      bestLength = j - i;
    }
    i = j + 1;
  }
  const hex = (from: number, to: number) => g.slice(from, to).map((n) => n.toString(16)).join(":");
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + bestLength, 8)}`;
}

/** True if the first `bits` bits of two addresses of the same family are the same. */
export function sameNetwork(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (a.length !== b.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (a[whole] ^ b[whole]) >> (8 - rest) === 0;
}

/** The labels of an address in reverse order: octets for IPv4, nibbles for IPv6. */
export function reverseLabels(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].reverse().join(".");
  const labels: string[] = [];
  for (let i = 15; i >= 0; i--) {
    labels.push((bytes[i] & 15).toString(16), (bytes[i] >> 4).toString(16));
  }
  return labels.join(".");
}

/** The name whose PTR records contain the names of an address (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(bytes: Uint8Array): string {
  return `${reverseLabels(bytes)}.${bytes.length === 4 ? "in-addr" : "ip6"}.arpa`;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((b, i) => b === (i === 15 ? 1 : 0));
}
