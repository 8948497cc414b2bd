/**
 * Shapes: what values look like with their digits and letters left out. Programs that send spam in bulk write
 * dates, identifiers and addresses in their own way, and sums and numbers have a shape that their figures hide.
 *
 * @module
 */

/** UTF-16 units of a value that are looked at. */
const maxValue = 200;

/** Each row of digits as "0", each row of letters as "a", what stands between as it is. */
export function shapeOf(value: string, most: number): string {
  let shape = "";
  let last = 0;
  for (let i = 0; i < value.length && i < maxValue && shape.length < most; i++) {
    const c = value.charCodeAt(i);
    const kind = c >= 0x30 && c <= 0x39
      ? 1
      : (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c > 0x7f
      ? 2
      : 0;
    if (kind !== 0 && kind === last) continue;
    shape += kind === 1 ? "0" : kind === 2 ? "a" : value[i];
    last = kind;
  }
  return shape;
}

/** Signs of a header field; none for fields without a shape that says something. */
export function fieldShapes(field: string, value: string): string[] {
  if (field === "message-id") {
    const at = value.indexOf("@");
    return [`id:${at < 0 ? "odd" : shapeOf(value.slice(0, at).trim(), 20)}`];
  }
  if (field === "date") {
    return [
      `zone:${/[+-]\d{4}/.exec(value.slice(0, maxValue))?.[0] ?? "none"}`,
      `date:${shapeOf(value, 30)}`,
    ];
  }
  return field === "from" ? addressShapes(value) : field === "subject" ? shortWords(value) : [];
}

/** The domain of the address, and the shape of what stands before it. */
function addressShapes(value: string): string[] {
  const at = value.lastIndexOf("@");
  if (at < 0) return ["sender:odd"];
  const start = Math.max(value.lastIndexOf("<", at), value.lastIndexOf(" ", at), at - 64 - 1) + 1;
  const local = value.slice(start, at);
  const host = /^[\w.\-]{1,253}/.exec(value.slice(at + 1, at + 255))?.[0] ?? "";
  const signs = [
    `sender:${shapeOf(local, 12)}`,
    `sender:@${host.toLowerCase().split(".").slice(-2).join(".")}`,
  ];
  if (/\d{3}/.test(local)) signs.push("sender:digits");
  return signs;
}

/** Words of a subject that are too short to be counted elsewhere, "re" and "fw" among them. */
function shortWords(value: string): string[] {
  const signs: string[] = [];
  for (const w of value.slice(0, maxValue).toLowerCase().split(/[^\p{L}\p{N}$!%]+/u)) {
    if (w.length > 0 && w.length <= 3) signs.push(`subject:${w}`);
  }
  return signs;
}

/** Different shapes of one text that are counted. */
const maxShapes = 500;

/**
 * Sums, percentages and words that are shouted, such as "now!", "$00,000" and "00%", each once.
 * Linear: a run of such characters above 40 is data, and skipped.
 */
export function textShapes(text: string): Set<string> {
  const signs = new Set<string>();
  for (const [run] of text.matchAll(/[\p{L}\p{N}$£€'!.,%-]+/gu)) {
    if (run.length > 40) continue;
    if (signs.size >= maxShapes) break;
    if (/[!$£€%]/.test(run)) {
      signs.add(`shape:${run.toLowerCase().replace(/\d/g, "0").replace(/[.,]+$/, "")}`);
    }
  }
  return signs;
}
