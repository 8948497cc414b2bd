/** Writing XML. @module */

/** Text escaped for an element or a quoted attribute. Characters that XML can't represent are left out. */
export function xmlText(s: string): string {
  // deno-lint-ignore no-control-regex -- those are the ones that XML 1.0 does not have
  return s.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "").replace(
    /[&<>"']/g,
    (c) => `&#${c.charCodeAt(0)};`,
  );
}

/** A document from lines, with its declaration. */
export function xmlDocument(...lines: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines.join("\n")}\n`;
}
