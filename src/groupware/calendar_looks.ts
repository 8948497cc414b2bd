/** How a calendar is shown to its owner: the name and the colour that programs gave it. @module */
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection } from "../store/groupware/types.ts";

const nameProperty = "{DAV:}displayname";
const colorProperty = "{http://apple.com/ns/ical/}calendar-color";

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Text of a stored element that has nothing but text. */
function plainText(xml: string): string {
  return xml.replace(/<[^>]*>/g, "").replace(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  ).trim();
}

/** Name and colour of a calendar; the colour as #rrggbb, "" if none was chosen. */
export function calendarLooks(g: Groupware, c: Collection): { name: string; color: string } {
  const kept = g.properties(c.id);
  const name = plainText(kept.get(nameProperty) ?? "").slice(0, 200);
  // Apple adds how much it covers.
  const color = /^#[\da-f]{6}/i.exec(plainText(kept.get(colorProperty) ?? ""))?.[0] ?? "";
  return { name: name || c.name, color: color.toLowerCase() };
}
