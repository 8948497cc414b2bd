/** Nesting depth of HTML elements: parsers spend a long time on each level. @module */

/** Elements open at a time; to close one, the parser searches all of them. */
const maxOpen = 2000;
/** Elements without an end tag, or whose end tag is usually omitted. */
const unclosed = new Set(
  ("area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup thead " +
    "tbody tfoot tr td th colgroup rb rt rtc rp !doctype").split(" "),
);

/** Whether more elements are open at some place than any message needs. One pass, roughly as a parser sees it. */
export function nestedTooDeep(html: string): boolean {
  const open: string[] = [];
  const counts = new Map<string, number>();
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at + 1)) {
    const end = html.charCodeAt(at + 1) === 0x2f;
    const from = end ? at + 2 : at + 1;
    const first = html.charCodeAt(from) | 0x20;
    if (first < 0x61 || first > 0x7a) continue;
    let to = from + 1;
    while (to < from + 12 && /[a-z0-9]/i.test(html[to] ?? "")) to++;
    const name = html.slice(from, to).toLowerCase();
    if (unclosed.has(name)) continue;
    if (!end) {
      if (open.push(name) > maxOpen) return true;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      continue;
    }
    // It also closes everything opened since; an unmatched end tag is ignored.
    if ((counts.get(name) ?? 0) === 0) continue;
    for (;;) {
      const closed = open.pop()!;
      counts.set(closed, counts.get(closed)! - 1);
      if (closed === name) break;
    }
  }
  return false;
}
