/**
 * URLs that the page loads besides calls, relative to the webmail's own. All need the session's cookie, and are GET
 * except the upload.
 *
 * @module
 */
import type { View } from "./query.ts";

/** The event stream; see events.ts. */
export function eventsUrl(view: View): string {
  return `events?view=${encodeURIComponent(JSON.stringify(view))}`;
}

/** The event stream shared by all pages of a browser; see events.ts. */
export const sharedEventsUrl = "events?shared";

/** The message as stored; with `download` as an .eml file. */
export function rawUrl(id: number, o: { download?: boolean } = {}): string {
  return `message/${id}/raw${o.download ? "?download" : ""}`;
}

/** The header as text, one field after another. */
export function headersUrl(id: number): string {
  return `message/${id}/headers`;
}

/**
 * A decoded part, by the path in an Attachment. Without `download` only harmless types are shown (images except SVG,
 * audio, video, PDF, plain text); others come as plain text or as a download.
 */
export function partUrl(id: number, path: string, o: { download?: boolean } = {}): string {
  return `message/${id}/part/${path}${o.download ? "?download" : ""}`;
}

/** The text as a page, for a frame. */
export function textUrl(id: number): string {
  return `message/${id}/text`;
}

/**
 * The sanitised HTML, for a frame with `sandbox="allow-popups allow-popups-to-escape-sandbox"`; without external
 * resources unless requested. `dark`: colours for a dark page; `fold`: long quotes are folded.
 */
export function htmlUrl(
  id: number,
  o: { external: boolean; dark: boolean; fold: boolean },
): string {
  const bit = (on: boolean) => on ? 1 : 0;
  return `message/${id}/html?external=${bit(o.external)}&dark=${bit(o.dark)}&fold=${bit(o.fold)}`;
}

/** The message with its header, for printing. */
export function printUrl(
  id: number,
  o: { html: boolean; external: boolean; zone: string; language: string },
): string {
  const { html, external, zone, language } = o;
  return `message/${id}/print?html=${html ? 1 : 0}&external=${external ? 1 : 0}` +
    `&zone=${encodeURIComponent(zone)}&language=${encodeURIComponent(language)}`;
}

/** All attachments as a zip file. */
export function attachmentsZipUrl(id: number): string {
  return `message/${id}/attachments.zip`;
}

/** A mailbox (null: all) and its children, as a zip of mbox files or of a Maildir. */
export function exportUrl(mailboxId: number | null, format: "mbox" | "maildir"): string {
  return `export?mailbox=${mailboxId ?? ""}&format=${format}`;
}

/** An address book as a file of cards; `owner` is the account that shares it, or "". */
export function contactsUrl(bookId: number, owner: string): string {
  return `contacts.vcf?book=${bookId}&owner=${encodeURIComponent(owner)}`;
}

/** POST with the file as the body and the header `x-mox-request: 1`; the answer is Upload in compose.ts. */
export function uploadUrl(filename: string, type: string): string {
  return `upload?filename=${encodeURIComponent(filename)}&type=${encodeURIComponent(type)}`;
}
