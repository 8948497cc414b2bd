/**
 * Charsets of 7-bit text that switch between sets of characters: ISO-2022-KR (RFC 1557), ISO-2022-JP with its
 * extensions (RFC 1468, 1554, 2237), ISO-2022-CN (RFC 1922) and HZ (RFC 1843). Runtimes refuse most of them, as
 * they are dangerous in web pages; in mail they are only decoded to text.
 *
 * @module
 */

/** A decoder that works in pieces. */
export interface PieceDecoder {
  write(bytes: Uint8Array): string;
  end(): string;
}

/** Character sets, each with a decoder of the runtime and the bytes that it expects. */
type Wide = "gb" | "ks" | "jis" | "jis2" | "unknown";

const decoders: Record<Exclude<Wide, "unknown">, [TextDecoder, prefix: number]> = {
  gb: [new TextDecoder("gbk"), 0],
  ks: [new TextDecoder("euc-kr"), 0],
  jis: [new TextDecoder("euc-jp"), 0],
  jis2: [new TextDecoder("euc-jp"), 0x8f],
};

/** Final bytes of the designations of two-byte sets. */
const wideSets: Record<number, Wide> = {
  0x40: "jis", // @
  0x42: "jis", // B
  0x41: "gb", // A
  0x43: "ks", // C
  0x44: "jis2", // D
};

/** Decodes two bytes of a set. */
function wide(set: Wide, a: number, b: number): string {
  if (set === "unknown" || a < 0x21 || b < 0x21) return "\ufffd";
  const [decoder, prefix] = decoders[set];
  const pair = [a | 128, b | 128];
  return decoder.decode(Uint8Array.from(prefix ? [prefix, ...pair] : pair));
}

/** Most bytes of an escape. */
const longestEscape = 4;

/** Whether there are ISO 2022 escapes that choose a two-byte set or half-width kana. */
export function hasIso2022Escape(bytes: Uint8Array): boolean {
  for (let i = bytes.indexOf(27); i >= 0; i = bytes.indexOf(27, i + 1)) {
    const [x, y, z] = [bytes[i + 1], bytes[i + 2], bytes[i + 3]];
    if (x === 0x24 && (y >= 0x40 && y <= 0x42)) return true;
    if (x === 0x24 && (y === 0x28 || y === 0x29) && z >= 0x40 && z <= 0x48) return true;
    if (x === 0x28 && (y === 0x49 || y === 0x4a)) return true;
  }
  return false;
}

/** Decodes any of the ISO-2022 charsets, by its escapes. */
export function iso2022Decoder(): PieceDecoder {
  /** Set of plain bytes: one byte each where undefined, or half-width kana. */
  let g0: Wide | "kana" | undefined;
  /** The set between SO and SI, and the set of a single shift. */
  let g1: Wide = "ks";
  let g2: "latin1" | "greek" | undefined;
  let shifted = false;
  let held: number[] = [];

  /** Handles the escape at the start of `b`; returns its length, or 0 if it is unknown. */
  const escape = (b: readonly number[]): number => {
    const [, x, y, z] = b;
    if (x === 0x24 && (y === 0x28 || y === 0x29 || y === 0x2a)) {
      const set = wideSets[z] ?? "unknown";
      if (z === undefined || z < 0x40 || z > 0x7e) return 0;
      if (y === 0x28) g0 = set;
      else if (y === 0x29) g1 = set;
      return 4;
    }
    if (x === 0x24 && wideSets[y] !== undefined) {
      g0 = wideSets[y];
      return 3;
    }
    if (x === 0x28 && y >= 0x40 && y <= 0x5a) {
      g0 = y === 0x49 ? "kana" : undefined;
      return 3;
    }
    if (x === 0x2e && (y === 0x41 || y === 0x46)) {
      g2 = y === 0x41 ? "latin1" : "greek";
      return 3;
    }
    if (x === 0x4e && y !== undefined && g2 !== undefined) return 2;
    return 0;
  };

  const decode = (bytes: Uint8Array, last: boolean): string => {
    const b = held.length > 0 ? Uint8Array.from([...held, ...bytes]) : bytes;
    held = [];
    let out = "";
    for (let i = 0; i < b.length; i++) {
      const c = b[i];
      if (c === 27) {
        if (!last && b.length - i <= longestEscape) {
          held = [...b.subarray(i)];
          break;
        }
        const n = escape([...b.subarray(i, i + 4)]);
        if (n === 2) {
          const single = (b[i + 2] ?? 32) | 128;
          out += g2 === "greek" ? greek.decode(Uint8Array.of(single)) : String.fromCharCode(single);
          i += 2;
        } else if (n > 0) {
          i += n - 1;
        }
        continue;
      }
      if (c === 14 || c === 15) {
        shifted = c === 14;
        continue;
      }
      if (c === 10 || c === 13) {
        // A line begins with plain characters, even if the previous one lacks its end.
        shifted = false;
        if (g0 !== undefined) g0 = undefined;
        out += String.fromCharCode(c);
        continue;
      }
      const set = shifted ? g1 : g0;
      if (set === undefined || c <= 32) {
        out += c < 128 ? String.fromCharCode(c) : "\ufffd";
      } else if (set === "kana") {
        out += (c & 127) <= 0x5f ? String.fromCharCode(0xff40 + (c & 127)) : "\ufffd";
      } else if (i + 1 >= b.length) {
        if (last) out += "\ufffd";
        else held = [c];
      } else {
        out += wide(set, c & 127, b[++i] & 127);
      }
    }
    return out;
  };
  return {
    write: (bytes) => decode(bytes, false),
    end: () => decode(new Uint8Array(0), true),
  };
}

const greek = new TextDecoder("iso-8859-7");

/** Decodes HZ. */
export function hzDecoder(): PieceDecoder {
  let open = false;
  let held: number | undefined;
  const decode = (bytes: Uint8Array, last: boolean): string => {
    let out = "";
    for (const c of bytes) {
      if (held === undefined) {
        if (c === 0x7e || (open && c > 32)) held = c;
        else {
          // A line ends the mode even without its end mark.
          if (c === 10) open = false;
          out += c < 128 ? String.fromCharCode(c) : "\ufffd";
        }
        continue;
      }
      const first = held;
      held = undefined;
      if (first !== 0x7e) out += wide("gb", first & 127, c & 127);
      else if (c === 0x7b) open = true;
      else if (c === 0x7d) open = false;
      else if (c === 0x7e) out += "~";
      else if (c !== 10) out += open ? wide("gb", first, c & 127) : `~${String.fromCharCode(c)}`;
    }
    if (last && held !== undefined) {
      out += open ? "\ufffd" : String.fromCharCode(held);
      held = undefined;
    }
    return out;
  };
  return {
    write: (bytes) => decode(bytes, false),
    end: () => decode(new Uint8Array(0), true),
  };
}
