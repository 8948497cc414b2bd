/**
 * Shapes: the form of values without their actual digits and letters. Programs that send bulk spam write dates,
 * identifiers and addresses in their own way, and amounts and numbers have a shape that their digits hide.
 *
 * @module
 */

/** Most UTF-16 units of a value that are used. */
const maxValue = 200;

/** Each run of digits becomes "0", each run of letters "a", everything else is unchanged. */
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

/** Signs of a header field; none for fields without a meaningful shape. */
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

/** The domain of the address, and the shape of the localpart. */
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

/** Words of a subject that are too short to be counted elsewhere, including "re" and "fw". */
function shortWords(value: string): string[] {
  const signs: string[] = [];
  for (const w of value.slice(0, maxValue).toLowerCase().split(/[^\p{L}\p{N}$!%]+/u)) {
    if (w.length > 0 && w.length <= 3) signs.push(`subject:${w}`);
  }
  return signs;
}

/** Most different shapes counted in one text. */
const maxShapes = 500;

/**
 * Amounts, percentages and shouted words, such as "now!", "$00,000" and "00%", each once. Linear: a run of more
 * than 40 such characters is data, and skipped.
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
