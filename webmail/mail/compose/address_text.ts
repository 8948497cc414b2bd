/**
 * Addresses as people type and paste them: lists from other programs, tables and links.
 *
 * @module
 */
import { quoteName } from "../names.ts";

/** True for text with the form of an address. */
export function plausible(address: string): boolean {
  const bare = /<([^<>]*)>\s*$/.exec(address)?.[1] ?? address;
  return /^[^@\s]+@[^@\s]+$|^".+"@[^@\s]+$/.test(bare.trim());
}

/** Splits at commas, semicolons and ends of lines outside of quotes and brackets. */
function pieces(text: string): string[] {
  const out: string[] = [];
  let now = "";
  let quoted = false;
  let angle = false;
  for (const c of text) {
    // A quote that nobody ended ends with its line.
    if (c === "\n") quoted = angle = false;
    if (c === '"') quoted = !quoted;
    else if (c === "<" && !quoted) angle = true;
    else if (c === ">" && angle && !quoted) {
      // Nothing of an address comes after it, whatever comes next.
      angle = false;
      out.push(now + c);
      now = "";
      continue;
    }
    if ((c === "," || c === ";" || c === "\n") && !quoted && !angle) {
      // A comma after a name without an address may stand within the name.
      out.push(c === "," ? `${now},` : now);
      now = "";
    } else now += c;
  }
  out.push(now);
  return out;
}

/** The name and address of `name <address>`. */
const named = /^([^<"]*)<([^<>]*)>\s*$/;

/** One piece: an address, or several with only blanks between them, or a name and an address. */
function addressesIn(piece: string): string[] {
  const text = piece.replace(/^\s*mailto:([^?]*).*$/is, "$1").trim();
  if (text === "" || /[<"]/.test(text)) return text === "" ? [] : [text];
  const words = text.split(/\s+/);
  if (words.length === 1) return words;
  if (words.every(plausible)) return words;
  const last = words.pop()!;
  if (!plausible(last) || words.some((w) => w.includes("@"))) return [text];
  return [`${quoteName(words.join(" "))} <${last}>`];
}

/**
 * Splits what was typed or pasted into addresses.
 *
 * Besides lists with commas and semicolons it takes lines, addresses with blanks between them, rows of a table with
 * name and address, `mailto:` links, and names with a comma that isn't quoted (`Doe, Jane <jane@example.org>`).
 */
export function splitAddresses(text: string): string[] {
  const out: string[] = [];
  let before = "";
  for (const piece of pieces(text.replaceAll("\r\n", "\n"))) {
    const comma = piece.endsWith(",");
    const own = (comma ? piece.slice(0, -1) : piece).trim();
    if (own === "") continue;
    const person = before === "" ? null : named.exec(own);
    if (person !== null) {
      out.push(`${quoteName(`${before}, ${person[1].trim()}`)} <${person[2]}>`);
      before = "";
      continue;
    }
    if (before !== "") out.push(before);
    before = comma && !own.includes("@") && !own.includes('"') ? own : "";
    if (before === "") out.push(...addressesIn(own));
  }
  if (before !== "") out.push(before);
  return out;
}
