/**
 * Contacts that a message brings (vCard 2.1, 3.0 and 4.0: RFC 6350), as far as a person looks at them.
 *
 * Total: what can't be read is left out.
 *
 * @module
 */
import type { ContactCard } from "../../../../webmail/api/mod.ts";
import { decodeTransferEncoding } from "../../../mail/transfer/transfer.ts";
import { decodeCharset } from "../../../mail/text/charset.ts";
import { type MessageContent, partText } from "./content.ts";
import { numberedParts } from "./parts.ts";

/** Characters of a part, parts, and cards that are read. */
const maxText = 500_000;
const maxParts = 10;
const maxCards = 20;
/** Values of a kind, and characters of each. */
const maxValues = 10;
const maxValue = 1000;

const types = new Set(["text/vcard", "text/x-vcard", "text/directory"]);

/** The contacts of a message, in their order. */
export function contactCards(content: MessageContent): ContactCard[] {
  const found: ContactCard[] = [];
  let looked = 0;
  for (const { path, part } of numberedParts(content.root)) {
    if (!types.has(`${part.type}/${part.subtype}`)) continue;
    if (++looked > maxParts || found.length >= maxCards) break;
    found.push(...readCards(partText(content, part, maxText).text, path));
  }
  return found.slice(0, maxCards);
}

/** One line of a card. */
interface Line {
  name: string;
  params: string;
  value: string;
}

/** Cards of a text. `path`: of the part that they stand in. */
export function readCards(text: string, path: string): ContactCard[] {
  const cards: ContactCard[] = [];
  let lines: Line[] | undefined;
  for (const line of contentLines(text)) {
    const isCard = line.value.trim().toUpperCase() === "VCARD";
    if (line.name === "BEGIN" && isCard) lines = [];
    else if (line.name === "END" && isCard) {
      const card = lines && cardOf(lines, path);
      if (card !== undefined && cards.push(card) >= maxCards) break;
      lines = undefined;
    } else if (lines !== undefined && lines.length < 500) lines.push(line);
  }
  return cards;
}

/** Lines put together again (RFC 6350 §3.2), with those that quoted-printable continues. */
function* contentLines(text: string): Generator<Line> {
  const raw = text.split(/\r\n|\r|\n/);
  for (let i = 0; i < raw.length; i++) {
    const pieces = [raw[i]];
    const soft = /^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE/i.test(raw[i]);
    for (;;) {
      const next = raw[i + 1];
      if (next === undefined) break;
      if (soft && pieces.at(-1)!.endsWith("=")) pieces.push(`\r\n${next}`);
      else if (/^[ \t]/.test(next)) pieces.push(next.slice(1));
      else break;
      i++;
    }
    const line = pieces.join("");
    const m = /^(?:[\w-]{1,60}\.)?([\w-]{1,60})((?:;[^:";]*(?:"[^"]*"[^:";]*)*)*):/.exec(
      line.slice(0, 2000),
    );
    if (m === null) continue;
    const value = line.slice(m[0].length);
    yield { name: m[1].toUpperCase(), params: m[2], value: decoded(value, m[2]) };
  }
}

/** The value of a 2.1 card may be encoded. */
function decoded(value: string, params: string): string {
  if (!/;(?:ENCODING=)?QUOTED-PRINTABLE/i.test(params)) return value;
  const bytes = decodeTransferEncoding(new TextEncoder().encode(value), "quoted-printable");
  const charset = /;CHARSET=([\w-]{1,40})/i.exec(params)?.[1] ?? "utf-8";
  return bytes === undefined ? value : decodeCharset(bytes, charset);
}

/** Parts of a value between semicolons, without their escapes. */
function parts(value: string): string[] {
  const out = [""];
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (c === "\\" && i + 1 < value.length) {
      const next = value[++i];
      out[out.length - 1] += next === "n" || next === "N" ? "\n" : next;
    } else if (c === ";") out.push("");
    else out[out.length - 1] += c;
  }
  return out.map((p) => p.trim());
}

const whole = (value: string) => parts(value).join(";").trim().slice(0, maxValue);

function cardOf(lines: readonly Line[], path: string): ContactCard | undefined {
  const all = (...names: string[]) =>
    lines.filter((l) => names.includes(l.name)).map((l) => whole(l.value))
      .filter((v) => v !== "").slice(0, maxValues);
  const first = (name: string) => lines.find((l) => l.name === name);
  const joined = (name: string, order?: readonly number[]) => {
    const line = first(name);
    if (line === undefined) return "";
    const p = parts(line.value);
    const wanted = order === undefined ? p : order.map((i) => p[i] ?? "");
    return wanted.filter((x) => x !== "").join(name === "N" ? " " : ", ").slice(0, maxValue);
  };
  const emails = all("EMAIL").map((e) => e.replace(/^mailto:/i, ""));
  const organisation = joined("ORG");
  // A name's parts are surname, given name, others, prefixes, suffixes (§6.2.2).
  const name = all("FN")[0] ?? (joined("N", [3, 1, 2, 0, 4]) || organisation || emails[0]);
  if (name === undefined || name === "") return undefined;
  return {
    path,
    name,
    organisation: organisation === name ? "" : organisation,
    title: all("TITLE")[0] ?? "",
    emails,
    phones: all("TEL").map((t) => t.replace(/^tel:/i, "")),
    addresses: lines.filter((l) => l.name === "ADR").slice(0, maxValues).map((l) =>
      parts(l.value).filter((p) => p !== "").join(", ").slice(0, maxValue)
    ).filter((a) => a !== ""),
    urls: all("URL").filter((u) => /^https?:\/\//i.test(u) && URL.parse(u) !== null),
    birthday: all("BDAY")[0] ?? "",
    note: all("NOTE")[0] ?? "",
  };
}
