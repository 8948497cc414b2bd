/**
 * An upper bound for the size of decompressed header lists (HPACK, RFC 7541), before the runtime decompresses them.
 *
 * The runtime decompresses any list before it checks its size, and a byte may refer to 4 KiB of the table (CVE-2016-6581):
 * 10 KB of input became 40 MB (measured). Huffman codes aren't decoded, and contents of the table not stored: a field of
 * the table counts as the largest one ever added.
 *
 * @module
 */

/** Bytes of the table: RFC 9113 §6.5.2, the initial value of SETTINGS_HEADER_TABLE_SIZE, which isn't changed. */
const tableSize = 4096;
/** RFC 7541 §4.1. */
const fieldOverhead = 32;
/** Entries of the static table (RFC 7541 Appendix A), and the size of the largest one. */
const staticEntries = 61;
const staticField = 80;
/** The shortest Huffman code has 5 bits. */
const huffmanGrowth = 8 / 5;
/** Bytes of a number; more than the runtime accepts. */
const maxNumberBytes = 5;

/** The meaning of the next byte. */
type Next = "field" | "number" | "length" | "string";

/** Measures the header lists of one connection. */
export class HeaderMeter {
  readonly #most: number;
  #next: Next = "field";
  #largest = 0;
  /** Of the list so far. */
  #size = 0;
  /** Of the field so far. */
  #field = 0;
  /** Remaining strings of the field. */
  #strings = 0;
  #kept = false;
  /** The index of a complete field, or that of a name. */
  #whole = false;
  #number = 0;
  #numberBytes = 0;
  #huffman = false;
  #skip = 0;

  /** @param most bytes of a list, each field with 32 more */
  constructor(most: number) {
    this.#most = most;
  }

  /** A list begins. */
  begin(): void {
    this.#next = "field";
    this.#size = 0;
  }

  /** The next bytes of the list. False if it becomes too large, or is invalid. */
  take(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#next === "string") {
        const n = Math.min(this.#skip, bytes.length - at);
        at += n;
        this.#skip -= n;
        if (this.#skip === 0) this.#stringEnded();
      } else if (!this.#byte(bytes[at++])) return false;
      if (this.#size + this.#field > this.#most) return false;
    }
    return true;
  }

  #byte(b: number): boolean {
    switch (this.#next) {
      case "field":
        this.#field = fieldOverhead;
        this.#whole = b >= 0x80;
        this.#kept = (b & 0xc0) === 0x40;
        if (this.#whole) return this.#begin("number", b & 0x7f, 0x7f);
        // A change of the table's size, which can't grow.
        if ((b & 0xe0) === 0x20) {
          this.#whole = true;
          return this.#begin("number", b & 0x1f, 0x1f);
        }
        return this.#kept
          ? this.#begin("number", b & 0x3f, 0x3f)
          : this.#begin("number", b & 0x0f, 0x0f);
      case "length":
        if (this.#numberBytes === 0) {
          this.#huffman = b >= 0x80;
          return this.#begin("length", b & 0x7f, 0x7f);
        }
        return this.#more(b);
      default:
        return this.#more(b);
    }
  }

  /** A number begins with its prefix (RFC 7541 §5.1). */
  #begin(what: "number" | "length", prefix: number, full: number): boolean {
    this.#next = what;
    this.#number = prefix;
    this.#numberBytes = 1;
    if (prefix < full) this.#numberEnded();
    return true;
  }

  #more(b: number): boolean {
    if (this.#numberBytes > maxNumberBytes) return false;
    this.#number += (b & 0x7f) * 2 ** (7 * (this.#numberBytes++ - 1));
    if (b < 0x80) this.#numberEnded();
    return true;
  }

  #numberEnded(): void {
    this.#numberBytes = 0;
    if (this.#next === "length") {
      this.#field += this.#huffman ? Math.ceil(this.#number * huffmanGrowth) : this.#number;
      this.#skip = this.#number;
      this.#next = "string";
      if (this.#skip === 0) this.#stringEnded();
      return;
    }
    if (this.#number > staticEntries) this.#field += this.#largest;
    else if (this.#number > 0) this.#field += staticField;
    if (this.#whole) return this.#fieldEnded();
    this.#strings = this.#number === 0 ? 2 : 1;
    this.#next = "length";
  }

  #stringEnded(): void {
    this.#strings--;
    if (this.#strings === 0) this.#fieldEnded();
    else this.#next = "length";
  }

  #fieldEnded(): void {
    // An entry larger than the table isn't stored (RFC 7541 §4.4).
    if (this.#kept) this.#largest = Math.min(tableSize, Math.max(this.#largest, this.#field));
    this.#size += this.#field;
    this.#field = 0;
    this.#next = "field";
  }
}
