/**
 * Sender rewriting: a forwarded message gets a sender address in the forwarder's domain, so that SPF passes at
 * the next server, and failure reports come back through the forwarder.
 *
 * An address is `SRS0=hash=days=domain=localpart`; one already rewritten by another forwarder becomes
 * `SRS1=hash=first forwarder==rest`, so that it grows no further. There is no RFC; this is the form commonly
 * used by forwarders. The hash makes sure that only addresses created here work, and the days limit how long.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

const day = 24 * 3600_000;
/** Days during which reports are sent back: queues give up sooner. */
const validDays = 21;
/** Days wrap around. */
const dayRange = 1024;
/** RFC 5321 §4.5.3.1.1: most octets of a localpart. */
const maxLocalpart = 64;
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
/** Characters of a hash, each 5 bits. */
const hashLength = 8;

/** A mailbox in an envelope. */
export interface SrsAddress {
  localpart: string;
  domain: string;
}

export class Srs {
  readonly #secret: Uint8Array;
  readonly #now: () => number;

  /** @param secret 32 random bytes; with other bytes, existing addresses stop working. */
  constructor(secret: Uint8Array, now: () => number = Date.now) {
    this.#secret = secret;
    this.#now = now;
  }

  /** A localpart for forwarding a sender's mail; undefined if it would be too long. */
  rewrite(sender: SrsAddress): string | undefined {
    const { localpart } = sender;
    const domain = sender.domain.toLowerCase();
    const first = /^SRS0(?=[=+-])/i.exec(localpart);
    const again = /^SRS1[=+-][^=]*=([^=]+)=(.+)$/is.exec(localpart);
    let made: string;
    if (again) made = this.#signed("SRS1", `${again[1].toLowerCase()}=${again[2]}`);
    else if (first) made = this.#signed("SRS1", `${domain}=${localpart.slice(4)}`);
    else made = this.#signed("SRS0", `${daysText(this.#today())}=${domain}=${localpart}`);
    return new TextEncoder().encode(made).length <= maxLocalpart ? made : undefined;
  }

  /** The original sender of a localpart; undefined if it was not created here or is too old. */
  original(localpart: string): SrsAddress | undefined {
    const m = /^(SRS[01])[=+-]([^=]{1,20})=(.+)$/is.exec(localpart);
    if (!m) return undefined;
    const kind = m[1].toUpperCase() as "SRS0" | "SRS1";
    const [, , hash, rest] = m;
    const expected = Buffer.from(this.#hash(kind, rest));
    const given = Buffer.from(hash.toLowerCase());
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const parts = /^([^=]+)=(.+)$/s.exec(rest);
    if (!parts) return undefined;
    if (kind === "SRS1") return { localpart: `SRS0${parts[2]}`, domain: parts[1] };
    const days = daysOf(parts[1]);
    const of = /^([^=]+)=(.+)$/s.exec(parts[2]);
    if (days === undefined || !of) return undefined;
    const age = (this.#today() - days + dayRange) % dayRange;
    // A clock may have been set back a little.
    if (age > validDays && age !== dayRange - 1) return undefined;
    return { localpart: of[2], domain: of[1] };
  }

  #today(): number {
    return Math.floor(this.#now() / day) % dayRange;
  }

  #signed(kind: "SRS0" | "SRS1", rest: string): string {
    return `${kind}=${this.#hash(kind, rest)}=${rest}`;
  }

  /** Some servers change the case of addresses. */
  #hash(kind: string, rest: string): string {
    const digest = createHmac("sha256", this.#secret).update(`${kind} ${rest.toLowerCase()}`)
      .digest();
    let text = "";
    for (let i = 0; i < hashLength; i++) text += alphabet[digest[i] & 31];
    return text;
  }
}

function daysText(days: number): string {
  return alphabet[days >> 5] + alphabet[days & 31];
}

function daysOf(text: string): number | undefined {
  const [a, b] = [...text.toLowerCase()].map((c) => alphabet.indexOf(c));
  return text.length !== 2 || a < 0 || b < 0 ? undefined : (a << 5) | b;
}
