/**
 * Converts charsets to Unicode, and finds a text's charset. Supports those of TextDecoder, the switching ones
 * of 7-bit mail (iso2022.ts), and the rest of IANA's through iconv-lite.
 *
 * @module
 */
import iconv from "iconv-lite";
import {
  byteOrderMark,
  guessCharset,
  SampleCollector,
  sampleOf,
  type TextSample,
} from "./guess.ts";
import { hzDecoder, iso2022Decoder, type PieceDecoder } from "./iso2022.ts";

interface Kind {
  name: string;
  make(): PieceDecoder;
  /** Decodes in one go, where that is faster. */
  whole?(bytes: Uint8Array): string;
}

const kinds = new Map<string, Kind | undefined>();

/** Alternative names that programs write. */
const aliases: Record<string, string> = {
  "gb2312": "gb18030",
  "gb-2312": "gb18030",
  "gbk": "gb18030",
  "x-gbk": "gb18030",
  "cp936": "gb18030",
  "ms936": "gb18030",
  "utf8mb4": "utf-8",
  "utf8mb3": "utf-8",
  "utf": "utf-8",
  "unicode": "utf-16",
  "ucs-2": "utf-16",
  "utf16": "utf-16",
  "iso-10646-ucs-2": "utf-16",
  "unicode-1-1-utf-7": "utf-7",
  "unicode-2-0-utf-7": "utf-7",
  "x-unicode-2-0-utf-7": "utf-7",
  "utf7": "utf-7",
  "ansi": "windows-1252",
  "latin": "windows-1252",
  "iso-latin-1": "windows-1252",
  "x-ansi": "windows-1252",
  "iso-8859": "windows-1252",
  "cp-1252": "windows-1252",
  "cp-1251": "windows-1251",
  "cp-1250": "windows-1250",
  "sjis": "shift_jis",
  "x-sjis": "shift_jis",
  "cp932": "shift_jis",
  "cp-932": "shift_jis",
  "ks-c-5601-1987": "euc-kr",
  "ks-c-5601": "euc-kr",
  "cp949": "euc-kr",
  "uhc": "euc-kr",
  "cp950": "big5",
  "cn-gb": "gb18030",
  "cn-big5": "big5",
  "hz": "hz-gb-2312",
  "hz-gb2312": "hz-gb-2312",
};
/** All of these are decoded by the escapes in the text. */
const switching =
  /^(?:csiso2022(?:kr|cn|jp\d?)|iso-?2022(?:-(?:kr|cn|jp)(?:-[a-z0-9]{1,4})?)?|cp5022[0-2])$/;
/** Names that only mean "unknown". */
const saysNothing: ReadonlySet<string> = new Set([
  ...["us-ascii", "ascii", "ansi-x3.4-1968", "iso646-us", "unknown-8bit", "unknown", "x-unknown"],
  ...[
    "default",
    "default-charset",
    "none",
    "null",
    "auto",
    "binary",
    "8bit",
    "7bit",
    "x-user-defined",
  ],
]);

/** A name as it should be: in lower case, without stray characters. */
function clean(label: string): string {
  const m = /[a-z0-9][a-z0-9_:.+-]{0,59}/.exec(label.slice(0, 200).toLowerCase());
  return m ? m[0].replace(/[_:.]/g, (c) => c === "_" ? "-" : c).replace(/[.:+-]+$/, "") : "";
}

/** The decoder for a name; undefined if it is unknown or has no meaning. */
function find(label: string): Kind | undefined {
  const key = label.length > 200 ? "" : label;
  if (kinds.has(key)) return kinds.get(key);
  const found = lookUp(clean(key));
  // Bounded, as labels come from the network.
  if (kinds.size < 500) kinds.set(key, found);
  return found;
}

function lookUp(name: string): Kind | undefined {
  if (name === "" || saysNothing.has(name)) return undefined;
  if (switching.test(name)) return { make: iso2022Decoder, name: "iso-2022" };
  const target = aliases[name] ?? name;
  if (target === "hz-gb-2312") return { make: hzDecoder, name: target };
  if (target === "utf-16") return { make: utf16Decoder, name: target };
  for (const n of new Set([target, name.replace(/-/g, "_"), name.replace(/^(?:x|cs)-/, "")])) {
    try {
      const encoding = new TextDecoder(n).encoding as string;
      // "replacement" stands for charsets that browsers refuse; iconv-lite may know them.
      if (encoding !== "replacement") return runtimeKind(encoding);
    } catch {
      // Unknown there.
    }
    if (iconv.encodingExists(n)) {
      return { make: () => n === "utf-7" ? byLines(iconvDecoder(n)) : iconvDecoder(n), name: n };
    }
  }
  return undefined;
}

function runtimeKind(encoding: string): Kind {
  const d = new TextDecoder(encoding);
  return { name: encoding, make: () => runtimeDecoder(encoding), whole: (b) => d.decode(b) };
}

function runtimeDecoder(encoding: string): PieceDecoder {
  const d = new TextDecoder(encoding);
  return { write: (b) => d.decode(b, { stream: true }), end: () => d.decode() };
}

function iconvDecoder(name: string): PieceDecoder {
  const d = iconv.getDecoder(name);
  return {
    write: (b) => d.write(b as Parameters<typeof d.write>[0]),
    end: () => d.end() ?? "",
  };
}

/** Most bytes of a line held back until its end. */
const maxHeld = 64 * 1024;

/** Feeds whole lines to a decoder that can't be interrupted anywhere (in UTF-7 a line ends shifts). */
function byLines(decoder: PieceDecoder): PieceDecoder {
  let held: Uint8Array = new Uint8Array(0);
  return {
    write(b) {
      const all = new Uint8Array(held.length + b.length);
      all.set(held);
      all.set(b, held.length);
      const cut = all.length > maxHeld ? all.length : all.lastIndexOf(10) + 1;
      held = all.subarray(cut);
      return cut > 0 ? decoder.write(all.subarray(0, cut)) : "";
    },
    end: () => decoder.write(held) + decoder.end(),
  };
}

/**
 * UTF-16 without a byte order mark: the byte order is chosen by the zeros of ASCII characters (RFC 2781 §4.3:
 * otherwise big-endian).
 */
function utf16Decoder(): PieceDecoder {
  let d: PieceDecoder | undefined;
  return {
    write(b) {
      d ??= runtimeDecoder(byteOrderMark(b) ?? (littleEndian(b) ? "utf-16le" : "utf-16be"));
      return d.write(b);
    },
    end: () => d?.end() ?? "",
  };
}

function littleEndian(bytes: Uint8Array): boolean {
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < bytes.length && i < 2000; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
  }
  return odd > even;
}

/** True if text in the charset can be decoded. */
export function isKnownCharset(label: string): boolean {
  return find(label) !== undefined || saysNothing.has(clean(label));
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Facts about a text besides its bytes. */
export interface TextHints {
  /** It is HTML, which can name its own charset. */
  html?: boolean;
}

/**
 * Decodes text in pieces, with the same result as {@link decodeCharset} for the whole.
 * @param pieces yields all of it, from the start, each time it is called
 */
export function* decodePieces(
  pieces: () => Iterable<Uint8Array>,
  label: string | undefined,
  hints: TextHints = {},
): Generator<string> {
  let kind = label === undefined ? undefined : find(label);
  if (kind === undefined) {
    const { sample, isUtf8 } = survey(pieces());
    kind = guessed(sample, isUtf8, hints);
  }
  const decoder = kind.make();
  for (const p of pieces()) yield decoder.write(p);
  yield decoder.end();
}

/** Whether everything is UTF-8, and a sample for guessing. */
function survey(pieces: Iterable<Uint8Array>): { sample: TextSample; isUtf8: boolean } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const collector = new SampleCollector();
  let isUtf8 = true;
  for (const p of pieces) {
    collector.add(p);
    if (isUtf8) {
      try {
        decoder.decode(p, { stream: true });
      } catch {
        isUtf8 = false;
      }
    } else if (collector.complete) {
      break;
    }
  }
  try {
    if (isUtf8) decoder.decode();
  } catch {
    isUtf8 = false;
  }
  return { sample: collector.sample(), isUtf8 };
}

function guessed(sample: TextSample, isUtf8: boolean, hints: TextHints): Kind {
  const name = guessCharset(sample, { ...hints, isUtf8 });
  return find(name) ?? find(isUtf8 ? "utf-8" : guessCharset(sample, { isUtf8 }))!;
}

/**
 * Bytes as text: in the declared charset; if there is none, or an unknown one, or only ASCII is declared, in
 * the one that the bytes look like. Never fails.
 */
export function decodeCharset(
  bytes: Uint8Array,
  label: string | undefined,
  hints: TextHints = {},
): string {
  const kind = label === undefined ? undefined : find(label);
  if (kind) return whole(kind, bytes);
  let text: string | undefined;
  try {
    text = utf8.decode(bytes);
  } catch {
    // It is another charset.
  }
  const found = guessed(sampleOf(bytes), text !== undefined, hints);
  return found.name === "utf-8" && text !== undefined ? text : whole(found, bytes);
}

function whole(kind: Kind, bytes: Uint8Array): string {
  if (kind.whole) return kind.whole(bytes);
  const d = kind.make();
  return d.write(bytes) + d.end();
}
