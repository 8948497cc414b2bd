/** The size of a message, and clipping by providers. @module */
import type { Checked, Finding } from "./types.ts";

/** Bytes of HTML that Gmail shows; the rest is behind a link. */
const gmailClip = 102 * 1024;
/** Bytes that large providers accept, with attachments encoded. */
const commonLimit = 25 * 1024 * 1024;

const kB = (n: number) => `${(n / 1024).toFixed(n < 10_240 ? 1 : 0)} kB`;

export function checkSize(checked: Checked): Finding[] {
  const found: Finding[] = [];
  const add = (Level: Finding["Level"], Text: string) => found.push({ Area: "size", Level, Text });
  const html = new TextEncoder().encode(checked.html).length;
  if (html > gmailClip) {
    add("warning", `Gmail cuts the HTML off after 102 kB: it has ${kB(html)}.`);
  } else if (html > gmailClip * 0.8) {
    add("note", `The HTML has ${kB(html)}; Gmail cuts it off after 102 kB.`);
  } else if (html > 0) add("ok", `The HTML has ${kB(html)}, which Gmail shows whole.`);
  if (checked.size > commonLimit) {
    add(
      "warning",
      `With ${kB(checked.size)} it is larger than the 25 MB that most providers take.`,
    );
  } else add("ok", `The message has ${kB(checked.size)}.`);
  return found;
}
