/** The HTML of a message, sanitised, with its own pictures in it. @module */
import { contentId, numberedParts, type SortedParts, sortParts } from "./parts.ts";
import type { Sanitized } from "../html/sanitize.ts";
import { sanitizeSoon } from "../html/worker.ts";
import { type MessageContent, partBytes, partText } from "./content.ts";
import { encodeBase64 } from "../../../mail/transfer/encode.ts";

/** Bytes of HTML, of a picture, and of all of them, that are shown. */
const maxHtml = 5_000_000;
const maxPicture = 10_000_000;
const maxPictures = 20_000_000;
/** Results that are kept: a message is asked about first and shown then. */
const maxKept = 20;
const maxKeptSize = 2_000_000;

const pictureTypes = /^(?:png|jpeg|jpg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon)$/;

const kept = new Map<string, Sanitized>();

/** The HTML parts one after the other; undefined if the message has none. */
export async function htmlBody(
  content: MessageContent,
  external: boolean,
  parts: SortedParts = sortParts(content.root),
  accountName = "",
  o: { dark?: boolean; mailto?: string } = {},
): Promise<Sanitized | undefined> {
  if (parts.html.length === 0) return undefined;
  const key = `${accountName} ${content.message.emailId} ${external} ${o.dark} ${o.mailto}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const html = parts.html.map((p) => partText(content, p.part, maxHtml).text).join("\n<hr>\n");
  const result = await sanitizeSoon(accountName, html, {
    external,
    inline: await pictures(content, html),
    ...o,
  });
  if (result.html.length < maxKeptSize) {
    kept.set(key, result);
    if (kept.size > maxKept) kept.delete(kept.keys().next().value!);
  }
  return result;
}

/** The parts that the HTML names by their Content-ID, as data: URLs. */
async function pictures(content: MessageContent, html: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (!/cid:/i.test(html)) return found;
  let total = 0;
  for (const { part } of numberedParts(content.root)) {
    const cid = contentId(part);
    if (cid === "" || part.type !== "image" || !pictureTypes.test(part.subtype)) continue;
    if (found.has(cid) || !mentions(html, cid)) continue;
    const size = part.endOffset - part.bodyOffset;
    if (size > maxPicture * 1.4 || (total += size) > maxPictures * 1.4) continue;
    const text = new TextDecoder().decode(encodeBase64(partBytes(content, part))).replaceAll(
      "\r\n",
      "",
    );
    found.set(cid, `data:image/${part.subtype};base64,${text}`);
    // Others are served between two pictures.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return found;
}

function mentions(html: string, cid: string): boolean {
  return html.includes(cid) || html.includes(encodeURIComponent(cid)) ||
    html.includes(cid.replaceAll("&", "&amp;"));
}
