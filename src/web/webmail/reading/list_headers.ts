/** Fields of mailing lists (RFC 2369, RFC 8058). @module */
import { type HeaderField, headerField } from "../../../mail/header/header.ts";

/** Addresses in <>, in their order. */
function angleUrls(value: string | undefined): string[] {
  const urls: string[] = [];
  for (let at = 0; value !== undefined && urls.length < 20;) {
    const start = value.indexOf("<", at);
    const end = start < 0 ? -1 : value.indexOf(">", start);
    if (end < 0) break;
    // RFC 2369 §2: blanks in them are to be ignored.
    urls.push(value.slice(start + 1, end).replace(/\s+/g, ""));
    at = end + 1;
  }
  return urls;
}

/** How to leave the list; null if it doesn't say. */
export function listUnsubscribe(
  fields: readonly HeaderField[],
): { url: string | null; mailto: string | null; oneClick: boolean } | null {
  const urls = angleUrls(headerField(fields, "list-unsubscribe"));
  const find = (scheme: string) =>
    urls.find((u) => URL.parse(u)?.protocol === scheme && u.length < 4000) ?? null;
  const url = find("https:");
  const mailto = find("mailto:");
  if (url === null && mailto === null) return null;
  const post = headerField(fields, "list-unsubscribe-post")?.replace(/\s+/g, "").toLowerCase();
  return { url, mailto, oneClick: url !== null && post === "list-unsubscribe=one-click" };
}

/** Address for messages to the list; null if there is none. */
export function listPost(fields: readonly HeaderField[]): string | null {
  for (const u of angleUrls(headerField(fields, "list-post"))) {
    const parsed = URL.parse(u);
    if (parsed?.protocol !== "mailto:") continue;
    try {
      const address = decodeURIComponent(parsed.pathname);
      if (address.includes("@")) return address;
    } catch {
      // Not one that can be written to.
    }
  }
  return null;
}
