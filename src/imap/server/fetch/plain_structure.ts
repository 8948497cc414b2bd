/**
 * BODY and BODYSTRUCTURE for clients of IMAP4rev1 that have enabled neither IMAP4rev2 nor UTF8=ACCEPT: their grammar
 * has an envelope and a body for message/rfc822 only (RFC 3501 §9), not for message/global (RFC 9051 §9).
 *
 * @module
 */

const mark = '("MESSAGE" "GLOBAL" ';

/** The structure with its message/global parts written like any other part. Linear. */
export function withoutGlobal(text: string): string {
  let at = text.indexOf(mark);
  if (at < 0) return text;
  let out = "";
  let done = 0;
  while (at >= 0) {
    let end = at + mark.length;
    // Parameters, id, description, encoding, size.
    for (let i = 0; i < 5; i++) end = valueEnd(text, end) + 1;
    const kept = end - 1;
    // Envelope, body, lines.
    for (let i = 0; i < 3; i++) end = valueEnd(text, end) + 1;
    out += text.slice(done, kept);
    done = end - 1;
    at = text.indexOf(mark, done);
  }
  return out + text.slice(done);
}

/**
 * The structure of a part, taken from its message's BODY; undefined if there is no such part. Linear
 * for each number.
 */
export function structureOfPart(body: string, numbers: readonly number[]): string | undefined {
  let part = body;
  for (const [depth, n] of numbers.entries()) {
    // Numbering continues from a message/rfc822 part into its message.
    const inner = depth > 0 && /^\("MESSAGE" "(?:RFC822|GLOBAL)" /.test(part)
      ? valueAt(part, 8)
      : undefined;
    const holder = inner ?? part;
    if (holder.startsWith("((")) {
      let at = 1;
      for (let i = 1; i < n && holder[at] === "("; i++) at = valueEnd(holder, at);
      if (holder[at] !== "(") return undefined;
      part = holder.slice(at, valueEnd(holder, at));
    } else if (n === 1 && (depth === 0 || inner !== undefined)) {
      part = holder;
    } else return undefined;
  }
  return part;
}

/** The value with this number in a list, counted from 0. */
function valueAt(list: string, n: number): string {
  let at = 1;
  for (let i = 0; i < n; i++) at = valueEnd(list, at) + 1;
  return list.slice(at, valueEnd(list, at));
}

/** Where the value that begins there ends: a list, a string, or a word. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length;) {
    const c = text[i];
    if (c === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
      i++;
    } else if (c === "{") {
      const close = text.indexOf("}", i);
      i = skipOctets(text, close + 3, Number(text.slice(i + 1, close)));
    } else if (c === "(") {
      depth++;
      i++;
    } else if (c === ")") {
      if (depth === 0) return i;
      depth--;
      i++;
    } else if (c === " ") {
      if (depth === 0) return i;
      i++;
      continue;
    } else {
      while (i < text.length && !' ()"{'.includes(text[i])) i++;
    }
    if (depth === 0) return i;
  }
  return text.length;
}

/** The offset after this many octets of UTF-8. */
function skipOctets(text: string, from: number, octets: number): number {
  let i = from;
  while (octets > 0 && i < text.length) {
    const c = text.codePointAt(i)!;
    octets -= c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    i += c > 0xffff ? 2 : 1;
  }
  return i;
}
