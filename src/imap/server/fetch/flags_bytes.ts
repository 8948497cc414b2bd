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
const besides = 80;

const encoder = new TextEncoder();
const words = (text: string) => encoder.encode(text);
/** Between the numbers of a line, and before the only one. */
const [fetchUid, fetch] = [words(" FETCH (UID "), words(" FETCH (")];
const modseqWord = words("MODSEQ (");
const flagsOf = (names: string) => words(`FLAGS (${names}))\r\n`);
/** How lines of messages without keywords end, by their flags. */
const endOf: (Uint8Array | undefined)[] = [];

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

  /**
   * @param uid 0 for a line without it
   * @param modseq 0 for a line without it
   */
  add(seq: number, uid: number, flags: number, keywords: string, modseq = 0): void {
    const end = keywords === ""
      ? endOf[flags] ??= flagsOf(formatFlags(flags, ""))
      : flagsOf(formatFlags(flags, keywords, this.#spelled));
    if (this.#used + end.length + besides > size) this.flush();
    const out = this.#bytes;
    out[this.#used++] = 0x2a;
    out[this.#used++] = 0x20;
    this.#number(seq);
    if (uid !== 0) {
      out.set(fetchUid, this.#used);
      this.#used += fetchUid.length;
      this.#number(uid);
      out[this.#used++] = 0x20;
    } else {
      out.set(fetch, this.#used);
      this.#used += fetch.length;
    }
    if (modseq !== 0) {
      out.set(modseqWord, this.#used);
      this.#used += modseqWord.length;
      this.#number(modseq);
      out[this.#used++] = 0x29;
      out[this.#used++] = 0x20;
    }
    if (end.length + besides > size) {
      this.flush();
      return this.#write(end);
    }
    out.set(end, this.#used);
    this.#used += end.length;
  }

  #number(n: number): void {
    let digits = 1;
    for (let over = 10; over <= n; over *= 10) digits++;
    const out = this.#bytes;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const rest = Math.floor(n / 10);
      out[at] = 0x30 + (n - rest * 10);
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
