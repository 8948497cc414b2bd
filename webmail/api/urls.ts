/**
 * Addresses of what the page loads besides calls, relative to the webmail's own. All need the session's
 * cookie and are GET but for the upload.
 *
 * @module
 */
import type { View } from "./query.ts";

/** The event stream: events.ts. */
export function eventsUrl(view: View): string {
  return `events?view=${encodeURIComponent(JSON.stringify(view))}`;
}

/** The event stream that all pages of a browser share: events.ts. */
export const sharedEventsUrl = "events?shared";

/** The message as it is stored; with `download` as a file named .eml. */
export function rawUrl(id: number, o: { download?: boolean } = {}): string {
  return `message/${id}/raw${o.download ? "?download" : ""}`;
}

/** The header as text, one field after the other. */
export function headersUrl(id: number): string {
  return `message/${id}/headers`;
}

/**
 * A decoded part, by the path in an Attachment. Without `download` only types that can't run anything are
 * shown (images but SVG, audio, video, PDF, plain text); others come as plain text or as a download.
 */
export function partUrl(id: number, path: string, o: { download?: boolean } = {}): string {
  return `message/${id}/part/${path}${o.download ? "?download" : ""}`;
}

/** The text as a page of its own, for a frame. */
export function textUrl(id: number): string {
  return `message/${id}/text`;
}

/**
 * The sanitised HTML, for a frame with `sandbox="allow-popups allow-popups-to-escape-sandbox"`; without
 * external resources unless asked for. `dark`: its colours for a dark page; `fold`: long quotes are folded.
 */
export function htmlUrl(
  id: number,
  o: { external: boolean; dark: boolean; fold: boolean },
): string {
  const bit = (on: boolean) => on ? 1 : 0;
  return `message/${id}/html?external=${bit(o.external)}&dark=${bit(o.dark)}&fold=${bit(o.fold)}`;
}

/** The message with its header on white paper. */
export function printUrl(
  id: number,
  o: { html: boolean; external: boolean; zone: string; language: string },
): string {
  const { html, external, zone, language } = o;
  return `message/${id}/print?html=${html ? 1 : 0}&external=${external ? 1 : 0}` +
    `&zone=${encodeURIComponent(zone)}&language=${encodeURIComponent(language)}`;
}

/** All attachments in one zip file. */
export function attachmentsZipUrl(id: number): string {
  return `message/${id}/attachments.zip`;
}

/** A mailbox (null: all), with those below it, as a zip of mbox files or of a Maildir. */
export function exportUrl(mailboxId: number | null, format: "mbox" | "maildir"): string {
  return `export?mailbox=${mailboxId ?? ""}&format=${format}`;
}

/** An address book as a file of cards; `owner` shares it, or is "". */
export function contactsUrl(bookId: number, owner: string): string {
  return `contacts.vcf?book=${bookId}&owner=${encodeURIComponent(owner)}`;
}

/** POST with the file as the body and the header `x-mox-request: 1`; the answer is compose.ts Upload. */
export function uploadUrl(filename: string, type: string): string {
  return `upload?filename=${encodeURIComponent(filename)}&type=${encodeURIComponent(type)}`;
}
