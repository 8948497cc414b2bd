/** Plain text as HTML. @module */

const marks: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escapeHtml = (s: string) => s.replace(/[&<>"]/g, (c) => marks[c]);

/** Plain text as HTML: a line each, and quotes by their marks. */
export function textHtml(text: string): string {
  let out = "";
  let level = 0;
  const to = (n: number) => {
    for (; level < n; level++) out += "<blockquote>";
    for (; level > n; level--) out += "</blockquote>";
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const quoted = /^(?:> ?)+/.exec(line)?.[0] ?? "";
    to(quoted.replace(/ /g, "").length);
    const rest = escapeHtml(line.slice(quoted.length));
    out += `<div>${rest === "" ? "<br>" : rest}</div>`;
  }
  to(0);
  return out;
}
