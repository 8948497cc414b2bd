/**
 * FETCH lines with flags alone, as bytes: clients ask for those of the whole mailbox each time they open it. Built as
 * strings, most of the time would be spent joining and encoding them.
 *
 * @module
 */
import { formatFlags } from "../../format/text.ts";

/** Bytes that are gathered before they are handed on. */
const size = 15 * 1024;
/** Bytes of a line without its flags: words and two numbers. */
const besides = 64;

const encoder = new TextEncoder();
const words = (text: string) => encoder.encode(text);
const [star, fetch, uidWord, flagsWord, end] = [
  words("* "),
  words(" FETCH ("),
  words("UID "),
  words("FLAGS ("),
  words("))\r\n"),
];
/** Names of the flags of a message without keywords. */
const namesOf: (Uint8Array | undefined)[] = [];

/** Writes lines one after the other; {@link flush} at the end. */
export class FlagLines {
  readonly #bytes = new Uint8Array(size);
  #used = 0;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #spelled: ReadonlyMap<string, string>;

  /**
   * @param write takes the bytes before it returns
   * @param spelled keywords as the mailbox spells them
   */
  constructor(write: (bytes: Uint8Array) => void, spelled: ReadonlyMap<string, string>) {
    this.#write = write;
    this.#spelled = spelled;
  }

  /** @param uid 0 for a line without it */
  add(seq: number, uid: number, flags: number, keywords: string): void {
    let names: Uint8Array;
    if (keywords !== "") names = words(formatFlags(flags, keywords, this.#spelled));
    else names = namesOf[flags] ??= words(formatFlags(flags, ""));
    if (this.#used + names.length + besides > size) this.flush();
    this.#put(star);
    this.#number(seq);
    this.#put(fetch);
    if (uid !== 0) {
      this.#put(uidWord);
      this.#number(uid);
      this.#bytes[this.#used++] = 0x20;
    }
    this.#put(flagsWord);
    if (names.length + besides <= size) this.#put(names);
    else {
      this.flush();
      this.#write(names);
    }
    this.#put(end);
  }

  #put(bytes: Uint8Array): void {
    const out = this.#bytes;
    let at = this.#used;
    // Faster than set() for so few.
    for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i];
    this.#used = at;
  }

  #number(n: number): void {
    let digits = 1;
    for (let over = 10; over <= n; over *= 10) digits++;
    const out = this.#bytes;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const rest = Math.floor(n / 10);
      out[at] = 0x30 + n - rest * 10;
      n = rest;
    }
    this.#used += digits;
  }

  /** Hands on what has been gathered. */
  flush(): void {
    if (this.#used === 0) return;
    this.#write(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
  }
}
